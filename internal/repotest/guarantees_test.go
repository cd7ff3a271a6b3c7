package repotest

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named matches a test that a document names: its function, and a part of it.
var named = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)(?:/([\\w-]+))?`")

// A promise whose test was renamed or removed is a promise without a test.
func TestGuaranteesNameTestsThatExist(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, p := range parseAll(t) {
		if p.isTest() || strings.Contains(p.path, "test/") {
			all.WriteString(read(t, p.path))
		}
	}
	scripts, err := filepath.Glob(filepath.Join(root, "cmd/stillcast/testdata/script/*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("there are no scripts of commands: %v", err)
	}
	found := named.FindAllStringSubmatch(read(t, "docs/guarantees.md"), -1)
	if len(found) < 100 {
		t.Fatalf("%d tests are named, wanted the more than hundred that there are", len(found))
	}
	for _, match := range found {
		function, part := match[1], match[2]
		if !strings.Contains(all.String(), "\nfunc "+function+"(") {
			t.Errorf("docs/guarantees.md names %s, which no test has as its name", function)
		}
		if part != "" && !strings.Contains(all.String(), `"`+part+`"`) && !strings.Contains(strings.Join(scripts, " "), "/"+part+".txtar") {
			t.Errorf("docs/guarantees.md names %s/%s, and there is no such part", function, part)
		}
	}
}
