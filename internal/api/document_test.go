package api

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of actions into docs/api.md")

const generatedMark = "-update -->\n"

// The document has the actions as the program's table has them.
func TestDocumentIsFresh(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "api.md")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := bytes.Cut(old, []byte(generatedMark))
	if !found {
		t.Fatalf("%s has no line that ends with %q", path, generatedMark)
	}
	fresh := append(append(bytes.Clone(head), generatedMark...), document(slices.Concat(Actions(), OwnActions()))...)
	if *update {
		if err := os.WriteFile(path, fresh, 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(old, fresh) {
		t.Errorf("%s is not as the table of actions; run go test ./internal/api -run Document -update", path)
	}
}

// document writes the actions as Markdown.
func document(actions []Action) string {
	var b strings.Builder
	group := ""
	for _, a := range actions {
		if a.Group != group {
			group = a.Group
			fmt.Fprintf(&b, "\n### %s\n", group)
		}
		fmt.Fprintf(&b, "\n#### %s\n\n", a.Name)
		if a.Note != "" {
			fmt.Fprintf(&b, "%s.\n\n", strings.ToUpper(a.Note[:1])+a.Note[1:])
		}
		if len(a.Params) > 0 {
			b.WriteString("| parameter | type | allowed | |\n|---|---|---|---|\n")
		}
		for _, p := range a.Params {
			required := ""
			if p.Required {
				required = " required"
			}
			fmt.Fprintf(&b, "| `%s` | %s%s | %s | %s |\n", p.Name, p.Kind, required, p.allowed(), strings.ReplaceAll(p.Note, "|", "\\|"))
		}
		if codes := a.ownCodes(); len(codes) > 0 {
			if len(a.Params) > 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "Refusals: `%s`\n", strings.Join(codes, "`, `"))
		}
	}
	return b.String()
}

func (p *Param) allowed() string {
	var parts []string
	switch {
	case len(p.Allowed) > 0:
		parts = append(parts, strings.Join(p.Allowed, ", "))
	case p.Kind == Integer && p.Max != 0:
		zero := ""
		if p.Zero {
			zero = "0, "
		}
		parts = append(parts, zero+strconv.FormatInt(p.Min, 10)+" to "+strconv.FormatInt(p.Max, 10))
	case p.Kind == Integer:
		parts = append(parts, "from 0")
	default:
		parts = append(parts, fmt.Sprintf("up to %d bytes", orElse(p.MaxBytes, maxText)))
	}
	if p.Kind == Texts {
		parts = append(parts, fmt.Sprintf("up to %d elements", orElse(p.MaxItems, maxList)))
	}
	if p.Chars != AnyChars {
		parts = append(parts, p.Chars.String())
	}
	return strings.Join(parts, "; ")
}

// ownCodes are the codes that are not the same for all actions.
func (a *Action) ownCodes() []string {
	var codes []string
	if a.Values != "" && len(a.Params) > 0 {
		codes = append(codes, a.Values)
	}
	for _, code := range a.Faults {
		codes = append(codes, code)
	}
	for _, p := range a.Params {
		if p.Code != "" {
			codes = append(codes, p.Code)
		}
	}
	if a.AnyParams {
		codes = append(codes, codeUnsupported)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}
