package console

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestStaticFiles(t *testing.T) {
	r := newRig(t)
	b := r.browser()
	location, err := r.static.url("console.css")
	if err != nil {
		t.Fatal(err)
	}
	a := b.get(strings.TrimPrefix(location, Path))
	b.want(a, http.StatusOK, ":root")
	if got := a.header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control %q", got)
	}
	if got := a.header.Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	for _, at := range []string{"static/", "static/console.css", "static/0000000000000000/console.css", "static/../words/en.json"} {
		if a := b.get(at); a.status == http.StatusOK {
			t.Errorf("%s is served", at)
		}
	}
	if _, err := r.static.url("none.css"); err == nil {
		t.Error("a file that there is not has a URL")
	}
}

// TestVendoredFiles compares what others wrote with its checksums.
func TestVendoredFiles(t *testing.T) {
	sums, err := staticFiles.ReadFile("static/vendor/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(sums)); s.Scan(); {
		sum, name, _ := strings.Cut(s.Text(), "  ")
		listed[name] = sum
	}
	files, err := staticFiles.ReadDir("static/vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() == "SHA256SUMS" || strings.HasSuffix(f.Name(), "-LICENSE.txt") {
			continue
		}
		body, err := staticFiles.ReadFile("static/vendor/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		if hex.EncodeToString(sum[:]) != listed[f.Name()] {
			t.Errorf("%s is not what SHA256SUMS says", f.Name())
		}
		project, _, _ := strings.Cut(f.Name(), "-")
		if _, err := staticFiles.Open("static/vendor/" + project + "-LICENSE.txt"); err != nil {
			t.Errorf("%s has no licence beside it", f.Name())
		}
		delete(listed, f.Name())
	}
	if len(listed) > 0 {
		t.Errorf("not there: %v", listed)
	}
}

// palettes returns the variables of the stylesheet: light, dark by choice, dark by
// the system.
func palettes(t *testing.T) [3]map[string]string {
	t.Helper()
	css, err := staticFiles.ReadFile("static/console.css")
	if err != nil {
		t.Fatal(err)
	}
	var all [3]map[string]string
	for i, head := range []string{":root {", `:root[data-theme="dark"] {`, `:root:not([data-theme="light"]) {`} {
		_, block, ok := strings.Cut(string(css), head)
		block, _, _ = strings.Cut(block, "}")
		if !ok {
			t.Fatalf("the stylesheet has no %s", head)
		}
		all[i] = map[string]string{}
		for _, m := range regexp.MustCompile(`(--[a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(block, -1) {
			all[i][m[1]] = m[2]
		}
	}
	return all
}

func TestDarkIsTheSameHoweverItWasChosen(t *testing.T) {
	p := palettes(t)
	if len(p[0]) < 10 || len(p[1]) != len(p[0]) || len(p[2]) != len(p[0]) {
		t.Errorf("%d colours in light, %d and %d in dark", len(p[0]), len(p[1]), len(p[2]))
	}
	for name, colour := range p[1] {
		if p[2][name] != colour || p[0][name] == "" {
			t.Errorf("%s is %s, %s and %s", name, p[0][name], colour, p[2][name])
		}
	}
}

// TestContrast: WCAG 2.2, 1.4.3 asks for 4.5 between text and ground.
func TestContrast(t *testing.T) {
	for _, colours := range palettes(t) {
		pairs := [][2]string{{"--accent-text", "--accent"}, {"--good", "--good-ground"}, {"--warn", "--warn-ground"}, {"--bad", "--bad-ground"}}
		for _, text := range []string{"--text", "--faint", "--accent", "--good", "--warn", "--bad"} {
			pairs = append(pairs, [2]string{text, "--ground"}, [2]string{text, "--sheet"})
		}
		for _, p := range pairs {
			if c := contrast(t, colours[p[0]], colours[p[1]]); c < 4.5 {
				t.Errorf("%s on %s (%s on %s) has a contrast of %.2f", p[0], p[1], colours[p[0]], colours[p[1]], c)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

func TestStaticFilesAskNoOtherHost(t *testing.T) {
	eachFile(t, staticFiles, "", func(name, text string) {
		if strings.HasSuffix(name, ".txt") || strings.HasSuffix(name, "SHA256SUMS") {
			return
		}
		text = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(text, "")
		for _, at := range regexp.MustCompile(`(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s"')]*`).FindAllString(text, -1) {
			if !strings.Contains(at, "www.w3.org/") { // names of XML
				t.Errorf("%s names %s", name, at)
			}
		}
	})
}
