// What the example in docs/guides/callers.md stands in. The test puts the example in place of the mark.
package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"

	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	clientID := os.Getenv("CLIENT_ID")
	clientSecret := os.Getenv("CLIENT_SECRET")
	tokenEndpoint := os.Getenv("TOKEN_ENDPOINT")
	scope := os.Getenv("SCOPE")
	audience := os.Getenv("AUDIENCE")
	n8nURL := os.Getenv("N8N_URL")
	// EXAMPLE
	if err != nil {
		panic(err)
	}
	again, err := client.Get(n8nURL + "/api/v1/workflows")
	if err != nil {
		panic(err)
	}
	body, _ := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, again.StatusCode, string(body))
}
