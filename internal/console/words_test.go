package console

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var verb = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*\d*(\.\d+)?[a-zA-Z%]`)

func TestWordsAreTheSameInBothLanguages(t *testing.T) {
	languages, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	english, other := languages[0], languages[1]
	for key, text := range english.texts {
		translated, ok := other.texts[key]
		if !ok {
			t.Errorf("%s lacks %q", other.tag, key)
			continue
		}
		// Languages have orders of their own: those of other sentences say which argument they mean.
		if a, b := arguments(text), arguments(translated); !slices.Equal(a, b) {
			t.Errorf("%q has the arguments %q in %s, %q in %s", key, a, english.tag, b, other.tag)
		}
		if strings.TrimSpace(text) != text || strings.TrimSpace(translated) != translated || text == "" || translated == "" {
			t.Errorf("%q is empty, or begins or ends with a space", key)
		}
	}
	for key := range other.texts {
		if _, ok := english.texts[key]; !ok {
			t.Errorf("%s lacks %q", english.tag, key)
		}
	}
}

// arguments lists the verbs of a format in the order of the arguments.
func arguments(format string) []string {
	all := map[int]string{}
	next := 1
	for _, v := range verb.FindAllString(format, -1) {
		if v == "%%" {
			continue
		}
		if i, rest, ok := strings.Cut(strings.TrimPrefix(v, "%["), "]"); ok {
			next, _ = strconv.Atoi(i)
			v = "%" + rest
		}
		all[next] = v
		next++
	}
	var list []string
	for i := range 20 {
		if v, ok := all[i]; ok {
			list = append(list, strconv.Itoa(i)+v)
		}
	}
	return list
}

// uses are the keys that the console uses.
type uses struct {
	certain  map[string]string // where a text is asked for, by key
	literals map[string]bool   // strings that may be keys
	prefixes map[string]bool   // beginnings of keys that are put together
}

func findUses(t *testing.T) uses {
	t.Helper()
	u := uses{certain: map[string]string{}, literals: map[string]bool{}, prefixes: map[string]bool{}}
	inTemplate := regexp.MustCompile(`\bt "([^"]+)"|\(print(?:f)? "([a-z_]+(?:\.[a-z_]+)*[._])(?:"|%)`)
	quoted := regexp.MustCompile(`["'` + "`" + `]([a-z][a-z_0-9]*(?:\.[a-z_0-9]+)+)["'` + "`" + `]`)
	eachFile(t, templateFiles, ".html", func(name, text string) {
		for _, m := range inTemplate.FindAllStringSubmatch(text, -1) {
			if m[1] != "" {
				u.certain[m[1]] = name
			} else {
				u.prefixes[m[2]] = true
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			u.literals[m[1]] = true
		}
	})
	eachFile(t, staticFiles, ".js", func(name, text string) {
		if strings.Contains(name, "vendor/") {
			return
		}
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(m[1], "js.") {
				u.certain[m[1]] = name
			}
		}
		for _, m := range regexp.MustCompile("[\"'`](js\\.[a-z_]+(?:\\.[a-z_]+)*[._])(?:[\"']|\\$\\{)").FindAllStringSubmatch(text, -1) {
			u.prefixes[m[1]] = true
		}
	})
	sources, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		if strings.HasSuffix(s.Name(), ".go") && !strings.HasSuffix(s.Name(), "_test.go") {
			u.findInGo(t, s.Name())
		}
	}
	return u
}

// findInGo finds the strings of a source file, and what is certainly a key: what
// is handed to the functions that take one.
func (u uses) findInGo(t *testing.T, name string) {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	takes := map[string]int{"refusedf": 1, "text": 0, "redirectDone": 1} // which argument is the key
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil {
				u.literals[text] = true
				if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "_") {
					u.prefixes[text] = true
				}
			}
		case *ast.CallExpr:
			called := ""
			switch f := n.Fun.(type) {
			case *ast.Ident:
				called = f.Name
			case *ast.SelectorExpr:
				called = f.Sel.Name
			}
			at, ok := takes[called]
			if !ok || len(n.Args) <= at {
				return true
			}
			if lit, ok := n.Args[at].(*ast.BasicLit); ok && lit.Kind == gotoken.STRING {
				key, _ := strconv.Unquote(lit.Value)
				u.certain[key] = name
			}
		}
		return true
	})
}

func eachFile(t *testing.T, files fs.FS, ext string, do func(name, text string)) {
	t.Helper()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ext) {
			return err
		}
		b, err := fs.ReadFile(files, name)
		do(name, string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryWordIsUsed(t *testing.T) {
	languages, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	u := findUses(t)
	for key, where := range u.certain {
		if _, ok := languages[0].texts[key]; !ok {
			t.Errorf("%s uses %q, which there is not", where, key)
		}
	}
	for key := range languages[0].texts {
		used := u.literals[key] || u.certain[key] != ""
		for prefix := range u.prefixes {
			used = used || prefix != "." && len(prefix) > 2 && strings.HasPrefix(key, prefix)
		}
		if !used {
			t.Errorf("nobody uses %q", key)
		}
	}
}

func TestTwoFilesOfWordsHaveNoKeyInCommon(t *testing.T) {
	w := &words{texts: map[string]string{}, scripts: map[string]string{}}
	if err := w.add("words/en.json"); err != nil {
		t.Fatal(err)
	}
	if err := w.add("words/en.json"); err == nil || !strings.Contains(err.Error(), "in another file, too") {
		t.Errorf("the same file twice: %v", err)
	}
	if _, err := w.text("no.such"); err == nil {
		t.Error("a key that there is not is a text")
	}
}
