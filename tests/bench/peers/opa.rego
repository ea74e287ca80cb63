# What OPA does of the gate's task: it verifies the token with keys of the provider, asks for a role on
# two operations, and sets the API key and the headers of the caller.
package bench

request := input.attributes.request.http

# OPA keeps the response for as long as the header of the provider says, or at least for an hour.
keys := http.send({
	"method": "GET",
	"url": data.settings.jwks_uri,
	"force_cache": true,
	"force_cache_duration_seconds": 3600,
}).raw_body

token := substring(request.headers.authorization, 7, -1) if startswith(request.headers.authorization, "Bearer ")

verified := io.jwt.decode_verify(token, {
	"cert": keys,
	"iss": data.settings.issuer,
	"aud": data.settings.audience,
})

claims := verified[2] if verified[0]

default result := {
	"allowed": false,
	"http_status": 401,
	"headers": {"www-authenticate": "Bearer error=\"invalid_token\""},
	"body": "the token is not valid",
}

result := {"allowed": false, "http_status": 403} if {
	claims
	not is_reader
}

result := {
	"allowed": true,
	"headers": {
		"x-n8n-api-key": principal.key,
		"x-auth-principal": principal.name,
		"x-auth-subject": claims.sub,
		"x-auth-client": claims.azp,
		"x-auth-issuer": claims.iss,
		"x-auth-kind": "app",
		"x-auth-roles": concat(",", claims.roles),
		"x-auth-scopes": claims.scope,
	},
	"request_headers_to_remove": ["authorization", "x-auth-email"],
} if {
	is_reader
	principal := data.settings.principals[claims.azp]
}

is_reader if {
	data.settings.reader in claims.roles
	request.method == "GET"
	regex.match(`^/api/v1/workflows(/[^/]+)?$`, request.path)
}
