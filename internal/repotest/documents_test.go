package repotest

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// link matches [text](target) and the targets of [name]: target.
var link = regexp.MustCompile(`\]\(<?([^)\s>]+)>?[^)]*\)|(?m)^\[[^\]]+\]:\s+(\S+)`)

func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, document := range files(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(withoutCode(read(t, document)), -1) {
			checkLink(t, document, match[1]+match[2])
		}
	}
}

func checkLink(t *testing.T, document, target string) {
	t.Helper()
	address, err := url.Parse(target)
	if err != nil {
		t.Errorf("%s: link %q: %v", document, target, err)
		return
	}
	if address.Scheme != "" || address.Host != "" {
		return // Other people's pages come and go without our tests.
	}
	file := document
	if address.Path != "" {
		file = path.Join(path.Dir(document), address.Path)
	}
	info, err := os.Stat(filepath.Join(root, file))
	if err != nil {
		t.Errorf("%s: link %q: no such file", document, target)
		return
	}
	if address.Fragment != "" && !info.IsDir() && strings.HasSuffix(file, ".md") && !hasHeading(read(t, file), address.Fragment) {
		t.Errorf("%s: link %q: %s has no such heading", document, target, file)
	}
}

// shown matches the pictures of HTML in documents.
var shown = regexp.MustCompile(`\bsrc(?:set)?="([^"]+)"`)

// Documents show pictures that there are, each of which is shown and small.
func TestPicturesOfDocuments(t *testing.T) {
	t.Parallel()
	const most = 150 << 10 // bytes
	used := map[string]bool{}
	for _, document := range files(t, ".md") {
		for _, match := range shown.FindAllStringSubmatch(withoutCode(read(t, document)), -1) {
			checkLink(t, document, match[1])
			used[path.Join(path.Dir(document), match[1])] = true
		}
	}
	for _, picture := range files(t, ".webp", ".png", ".jpg") {
		if !strings.HasPrefix(picture, "docs/") {
			continue
		}
		if info, err := os.Stat(filepath.Join(root, picture)); err != nil || info.Size() > most {
			t.Errorf("%s has more than %d bytes, or %v", picture, most, err)
		}
		if !used[picture] {
			t.Errorf("no document shows %s", picture)
		}
	}
}

// withoutCode blanks what is shown as code, where brackets mean something else.
func withoutCode(text string) string {
	text = regexp.MustCompile("(?ms)^\\s*```.*?^\\s*```").ReplaceAllString(text, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "")
}

// hasHeading finds the heading that a site's anchor is made of: lower case, blanks to hyphens, other signs dropped.
func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") && toAnchor(title) == anchor {
			return true
		}
	}
	return false
}

func toAnchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, strings.TrimSpace(title))
}

var target = regexp.MustCompile(`(?m)^([A-Za-z][\w-]*):([^=]|$)`)

func TestMakeHelpListsEveryTarget(t *testing.T) {
	t.Parallel()
	help := run(t, "make", "--no-print-directory", "help")
	matches := target.FindAllStringSubmatch(read(t, "Makefile"), -1)
	if len(matches) < 10 {
		t.Fatalf("found %d targets in the Makefile, wanted at least build, demo, test and their parts", len(matches))
	}
	for _, match := range matches {
		if !regexp.MustCompile(`(?m)^  make ` + regexp.QuoteMeta(match[1]) + ` +\S`).MatchString(help) {
			t.Errorf("make help does not list %s: write ## and what it does behind the target", match[1])
		}
	}
}
