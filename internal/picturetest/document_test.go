package picturetest

import (
	"flag"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/pictures.md")

const document = "../../docs/pictures.md"

// line is a row as it stands in the document.
type line struct {
	cells [6]string
	psnr  int // whole dB, rounded down
	note  string
}

func (r row) line(f found) line {
	psnr := 99 // nothing differs
	if !math.IsInf(f.psnr, 1) {
		psnr = int(f.psnr)
	}
	return line{
		cells: [6]string{r.codec, r.format, r.colors, r.size, r.structure, r.push.String()},
		psnr:  psnr, note: r.note,
	}
}

func (l line) String() string {
	return fmt.Sprintf("| %s | %d | %s |", strings.Join(l.cells[:], " | "), l.psnr, l.note)
}

const head = `| Codec | Samples | Colours | Size | Structure | Pushed by | PSNR, dB | Note |
|---|---|---|---|---|---|---|---|
`

// checkDocument compares the table in the document with what was found: the same rows, and no picture that is worse by
// more than 1 dB. With -update it writes the table instead.
func checkDocument(t *testing.T, lines []line) {
	t.Helper()
	data, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), head)
	if !ok {
		t.Fatalf("%s has no table that begins with\n%s", document, head)
	}
	var written []string
	for strings.HasPrefix(rest, "|") {
		var l string
		l, rest, _ = strings.Cut(rest, "\n")
		written = append(written, l)
	}
	if *update {
		writeDocument(t, before, lines, rest)
		return
	}
	if len(written) != len(lines) {
		t.Fatalf("%s has %d rows, found were %d; write it anew with -update", document, len(written), len(lines))
	}
	for i, l := range lines {
		checkLine(t, written[i], l)
	}
}

var psnrCell = regexp.MustCompile(`\| (\d+) \| [^|]*\|$`)

func checkLine(t *testing.T, written string, found line) {
	t.Helper()
	match := psnrCell.FindStringSubmatch(written)
	if match == nil {
		t.Fatalf("%s: no PSNR in the row %s", document, written)
	}
	promised, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	if found.psnr < promised-1 {
		t.Errorf("%s promises more than was found:\n%s\n%s", document, written, found)
	}
	found.psnr = promised
	if found.String() != written {
		t.Errorf("%s is not up to date; write it anew with -update:\n%s\n%s", document, written, found)
	}
}

func writeDocument(t *testing.T, before string, lines []line, after string) {
	t.Helper()
	var out strings.Builder
	out.WriteString(before + head)
	for _, l := range lines {
		fmt.Fprintln(&out, l)
	}
	out.WriteString(after)
	if err := os.WriteFile(document, []byte(out.String()), 0o644); err != nil { //nolint:gosec // a document is for everyone
		t.Fatal(err)
	}
}
