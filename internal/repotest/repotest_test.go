// Package repotest holds the promises of the repository as a whole: what is
// linked into the program, how packages are documented, that links in the
// documents lead somewhere. It has tests only.
package repotest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// root is the repository's folder as seen from this package's tests.
const root = "../.."

// files lists the repository's files that end in one of the endings, by their paths from its root.
func files(t *testing.T, endings ...string) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && ignored(path, entry.Name()):
			return fs.SkipDir
		case entry.Type().IsRegular() && hasEnding(path, endings):
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("walking the repository: %v", err)
	}
	if len(found) == 0 {
		t.Fatalf("the repository has no file that ends in %v", endings)
	}
	return found
}

// ignored folders hold what is built, what tests read and what git keeps.
func ignored(path, name string) bool {
	switch name {
	case "testdata", "bin", "node_modules":
		return true
	}
	return path != "." && strings.HasPrefix(name, ".")
}

func hasEnding(path string, endings []string) bool {
	for _, ending := range endings {
		if strings.HasSuffix(path, ending) {
			return true
		}
	}
	return false
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// run runs a command in the repository's root and returns its standard output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = root
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, said.String())
	}
	return string(out)
}
