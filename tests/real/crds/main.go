// Command crds judges manifests as an API server would that has the custom resource definitions below
// a directory: unknown fields, types, required fields, and the rules in CEL.
//
//	crds DIRECTORY < manifests
//
// Each line of its input is a manifest as JSON. It prints a line for each fault: the number of the
// manifest, a tab, and the fault. A kind without a definition is a fault.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// judge says what is wrong with a manifest.
type judge func(text []byte, manifest map[string]any) []string

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: crds DIRECTORY < manifests"))
	}
	judges, err := read(os.Args[1])
	if err != nil {
		fail(err)
	}
	// The kinds of Kubernetes itself have no definitions to read.
	judges["v1 Secret"] = strict[corev1.Secret]
	judges["v1 ConfigMap"] = strict[corev1.ConfigMap]
	judges["v1 Service"] = strict[corev1.Service]
	judges["v1 ServiceAccount"] = strict[corev1.ServiceAccount]
	judges["apps/v1 Deployment"] = strict[appsv1.Deployment]
	judges["autoscaling/v2 HorizontalPodAutoscaler"] = strict[autoscalingv2.HorizontalPodAutoscaler]
	judges["batch/v1 Job"] = strict[batchv1.Job]
	judges["networking.k8s.io/v1 NetworkPolicy"] = strict[networkingv1.NetworkPolicy]
	judges["policy/v1 PodDisruptionBudget"] = strict[policyv1.PodDisruptionBudget]
	judges["rbac.authorization.k8s.io/v1 ClusterRole"] = strict[rbacv1.ClusterRole]
	judges["rbac.authorization.k8s.io/v1 ClusterRoleBinding"] = strict[rbacv1.ClusterRoleBinding]
	judges["rbac.authorization.k8s.io/v1 Role"] = strict[rbacv1.Role]
	judges["rbac.authorization.k8s.io/v1 RoleBinding"] = strict[rbacv1.RoleBinding]
	judges["admissionregistration.k8s.io/v1 MutatingWebhookConfiguration"] = strict[admissionv1.MutatingWebhookConfiguration]
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for number := 0; lines.Scan(); number++ {
		for _, fault := range examine(lines.Bytes(), judges) {
			fmt.Printf("%d\t%s\n", number, strings.ReplaceAll(fault, "\n", " "))
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "crds:", err)
	os.Exit(2)
}

func examine(text []byte, judges map[string]judge) []string {
	var head struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
	}
	manifest := map[string]any{}
	// This package keeps integers apart from other numbers, as the rules in CEL need them.
	if err := json.Unmarshal(text, &manifest); err != nil {
		return []string{err.Error()}
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return []string{err.Error()}
	}
	if head.Name == "" {
		return []string{"metadata.name: no name"}
	}
	judge, known := judges[head.APIVersion+" "+head.Kind]
	if !known {
		return []string{fmt.Sprintf("%s %s: no such kind", head.APIVersion, head.Kind)}
	}
	return judge(text, manifest)
}

func strict[T any](text []byte, _ map[string]any) []string {
	var into T
	if err := yaml.UnmarshalStrict(text, &into); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// read makes a judge of each served version of each definition below a directory.
func read(directory string) (map[string]judge, error) {
	judges := map[string]judge{}
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, document := range strings.Split("\n"+string(text), "\n---") {
			var definition apiextensionsv1.CustomResourceDefinition
			if err := yaml.Unmarshal([]byte(document), &definition); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if definition.Kind != "CustomResourceDefinition" {
				continue
			}
			for _, version := range definition.Spec.Versions {
				judge, err := custom(version.Schema.OpenAPIV3Schema)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", path, definition.Name, err)
				}
				judges[definition.Spec.Group+"/"+version.Name+" "+definition.Spec.Names.Kind] = judge
			}
		}
		return nil
	})
	return judges, err
}

func custom(properties *apiextensionsv1.JSONSchemaProps) (judge, error) {
	var internal apiextensions.JSONSchemaProps
	err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(properties, &internal, nil)
	if err != nil {
		return nil, err
	}
	schema, err := structural.NewStructural(&internal)
	if err != nil {
		return nil, err
	}
	types, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, err
	}
	return func(_ []byte, manifest map[string]any) []string {
		var faults []string
		unknown := pruning.PruneWithOptions(manifest, schema, true,
			structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
		for _, path := range unknown {
			faults = append(faults, path+": unknown field")
		}
		defaulting.Default(manifest, schema)
		found := validation.ValidateCustomResource(nil, manifest, types)
		lists := listtype.ValidateListSetsAndMaps(nil, schema, manifest)
		found = append(found, lists...)
		rules, _ := cel.NewValidator(schema, true, celconfig.PerCallLimit).Validate(
			context.Background(), field.NewPath(""), schema, manifest, nil, celconfig.RuntimeCELCostBudget)
		for _, fault := range append(found, rules...) {
			faults = append(faults, fault.Error())
		}
		return faults
	}, nil
}
