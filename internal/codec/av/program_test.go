package av_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A program in C that compares the ways to do one thing, and measures them when it is told to.
type program struct {
	main      string // in testdata
	sources   []string
	libraries []string // by their names for pkg-config
}

// build compiles the program and returns its path.
func (p program) build(t testing.TB, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	args := append([]string{"-std=gnu11", "-Wall", "-Wextra", "-Werror", "-I."}, flags...)
	args = append(args, "-o", path, filepath.Join("testdata", p.main))
	args = append(args, p.sources...)
	libraries, err := exec.CommandContext(t.Context(), "pkg-config", append([]string{"--cflags", "--libs"}, p.libraries...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	args = append(append(args, strings.Fields(string(libraries))...), "-lm")
	if out, err := exec.CommandContext(t.Context(), "cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc %q: %v\n%s", args, err, out)
	}
	return path
}

// test runs the program, as it is in use and with the sanitizers.
func (p program) test(t *testing.T) {
	t.Helper()
	for name, flags := range map[string][]string{
		"optimised": {"-O3"},
		"sanitized": {"-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), p.build(t, flags...)).CombinedOutput()
			t.Logf("%s", bytes.TrimSpace(out))
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// measure reports what the program measures: milliseconds by name.
func (p program) measure(b *testing.B) {
	b.Helper()
	path := p.build(b, "-O3")
	totals := map[string]float64{}
	for b.Loop() {
		out, err := exec.CommandContext(b.Context(), path, "measure").Output()
		if err != nil {
			b.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			milliseconds, err := strconv.ParseFloat(text, 64)
			if err != nil {
				b.Fatal(err)
			}
			totals[name] += milliseconds
		}
	}
	b.ReportMetric(0, "ns/op") // the program's own start says nothing
	for name, total := range totals {
		b.ReportMetric(total/float64(b.N), name+"-ms")
	}
}
