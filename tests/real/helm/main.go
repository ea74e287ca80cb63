// Command template writes the objects of a chart, with Helm's own packages, as `helm template` does: it
// checks the values by the schema of the chart.
//
//	template CHART RELEASE NAMESPACE < values
//
// The whole of Helm takes minutes to compile, most of it for clusters and registries.
package main

import (
	"fmt"
	"io"
	"os"
	"path"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: template CHART RELEASE NAMESPACE < values"))
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "template:", err)
	os.Exit(1)
}

func write(directory, release, namespace string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	given, err := common.ReadValues(text)
	if err != nil {
		return err
	}
	chart, err := loader.Load(directory)
	if err != nil {
		return err
	}
	if err := chartutil.ProcessDependencies(chart, given); err != nil {
		return err
	}
	options := common.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}
	values, err := util.ToRenderValues(chart, given, options, nil)
	if err != nil {
		return err
	}
	files, err := engine.Render(chart, values)
	if err != nil {
		return err
	}
	for name := range files {
		if path.Base(name) == "NOTES.txt" {
			delete(files, name)
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		fmt.Printf("---\n%s\n", hook.Manifest)
	}
	for _, manifest := range manifests {
		fmt.Printf("---\n%s\n", manifest.Content)
	}
	return nil
}
