package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
)

func TestSampleEqualsDefault(t *testing.T) {
	got, err := config.Parse("stillcast.yaml", config.Sample())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), *got, cmpopts.EquateEmpty(), comparePrefixes()); diff != "" {
		t.Errorf("the sample differs from the defaults (-default +sample):\n%s", diff)
	}
	empty, err := config.Parse("stillcast.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), *empty, comparePrefixes()); diff != "" {
		t.Errorf("an empty file differs from the defaults (-default +empty):\n%s", diff)
	}
}

func TestSampleIsAtTheRoot(t *testing.T) {
	got, err := os.ReadFile(filepath.Join("..", "..", "stillcast.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(config.Sample()), string(got)); diff != "" {
		t.Errorf("stillcast.yaml at the root is not the sample:\n%s", diff)
	}
}

// uncommented is the sample with its examples of resources in force.
func uncommented() []byte {
	example := regexp.MustCompile(`(?m)^  # (- |  )`)
	empty := regexp.MustCompile(`(?m)^(  [a-z_]+:) \[\]$`)
	return empty.ReplaceAll(example.ReplaceAll(config.Sample(), []byte("  $1")), []byte("$1"))
}

// TestSampleHoldsEverySetting looks for each setting at its very place, in the
// sample whose examples are no comments.
func TestSampleHoldsEverySetting(t *testing.T) {
	if _, err := config.Parse("stillcast.yaml", uncommented()); err != nil {
		t.Fatalf("the examples in the sample: %v", err)
	}
	var given any
	if err := yaml.Unmarshal(uncommented(), &given); err != nil {
		t.Fatal(err)
	}
	have := make(map[string]bool)
	pathsOf(given, "", have)
	paths := settings(reflect.TypeFor[config.Config](), "")
	if len(paths) < 30 {
		t.Errorf("only %d settings found: %q", len(paths), paths)
	}
	for _, path := range paths {
		if !have[path] {
			t.Errorf("the sample has no %s", path)
		}
	}
}

func pathsOf(value any, path string, have map[string]bool) {
	have[path] = true
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			pathsOf(child, strings.TrimPrefix(path+"."+key, "."), have)
		}
	case []any:
		for i, child := range v {
			pathsOf(child, fmt.Sprintf("%s[%d]", path, i), have)
		}
	}
}

// settings lists the paths of all settings of a struct type.
func settings(t reflect.Type, path string) []string {
	var all []string
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if options == "inline" {
			all = append(all, settings(field.Type, path)...)
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		child := strings.TrimPrefix(path+"."+name, ".")
		all = append(all, child)
		inner := field.Type
		if inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
			inner, child = inner.Elem(), child+"[0]"
		}
		if inner.Kind() == reflect.Struct && inner.NumField() > 0 {
			all = append(all, settings(inner, child)...)
		}
	}
	return all
}

// allKeys lists the keys of the first level as error messages do.
func allKeys() string {
	var keys []string
	for _, path := range settings(reflect.TypeFor[config.Config](), "") {
		if !strings.Contains(path, ".") {
			keys = append(keys, path)
		}
	}
	last := len(keys) - 1
	return strings.Join(keys[:last], ", ") + " and " + keys[last]
}

func TestFirstRun(t *testing.T) {
	for _, key := range []stillcast.Secret{"3f0c9d", `odd "key" \ # : {`} {
		c, err := config.Parse("stillcast.yaml", config.FirstRun(key))
		if err != nil {
			t.Fatal(err)
		}
		want := stillcast.Declaration{
			Domains:           []stillcast.Domain{{Name: stillcast.AnyDomain, Auth: stillcast.PushAuth{Key: key}}},
			SnapshotTemplates: []stillcast.SnapshotTemplate{{Name: "every10s", Interval: 10 * time.Second}},
			SnapshotRules:     []stillcast.DeclaredRule{{Domain: stillcast.AnyDomain, Template: "every10s"}},
		}
		if diff := cmp.Diff(want, c.Resources.Declaration()); diff != "" {
			t.Errorf("declaration (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(config.Default(), *c, ignoreResources(), comparePrefixes(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("settings (-default +first run):\n%s", diff)
		}
	}
	if !strings.Contains(string(config.FirstRun("k")), "# Base of the URLs of local pictures") {
		t.Error("the file of a first start has lost the sample's comments")
	}
}
