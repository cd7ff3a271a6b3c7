package repotest

import (
	"strings"
	"testing"
)

const module = "github.com/stillcast/stillcast"

// Test code brings flags, goroutines and panics of its own, and gortmplib dies from a hostile client.
func TestProgramHoldsNoTestCode(t *testing.T) {
	t.Parallel()
	linked := strings.Fields(run(t, "go", "list", "-deps", "./cmd/stillcast"))
	banned := []string{
		"testing",
		"net/http/httptest",
		"go.uber.org/goleak",
		"github.com/google/go-cmp",
		"github.com/rogpeppe/go-internal",
		"github.com/bluenviron/gortmplib",
		"github.com/tencentcloud",
		module + "/internal/testkit",
	}
	program := false
	for _, name := range linked {
		program = program || name == module+"/cmd/stillcast"
		for _, prefix := range banned {
			if name == prefix || strings.HasPrefix(name, prefix+"/") {
				t.Errorf("the program links %s: find who asks for it with: go mod why -m %s", name, prefix)
			}
		}
		if strings.HasPrefix(name, module) && strings.HasSuffix(name, "test") {
			t.Errorf("the program links %s, a package of tests", name)
		}
	}
	if !program {
		t.Error("the list does not hold the program itself")
	}
}

// Who imports callback to receive events takes on nothing else.
func TestPublicPackagesNeedTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	foreign := run(t, "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".", "./callback")
	for name := range strings.FieldsSeq(foreign) {
		if name != module && name != module+"/callback" {
			t.Errorf("a public package needs %s", name)
		}
	}
}
