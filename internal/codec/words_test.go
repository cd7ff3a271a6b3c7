package codec

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10*wordsSize)
	cases := []struct {
		name    string
		writes  []string
		want    string
		lengths int
	}{
		{"nothing", nil, "", 0},
		{"a line", []string{"no memory\n"}, "no memory?", 10},
		{"two writes", []string{"no ", "memory"}, "no memory", 9},
		{"just both ends", []string{long[:2*wordsSize]}, long[:2*wordsSize], 2 * wordsSize},
		{"at once", []string{"first" + long + "last"}, "first", 2*wordsSize + len(" … ")},
		{"by and by", strings.SplitAfter("first"+strings.Repeat("xxxxxxx\n", wordsSize)+"last", "\n"), "first", 2*wordsSize + len(" … ")},
	}
	for _, c := range cases {
		w := &words{}
		for _, b := range c.writes {
			if n, err := w.Write([]byte(b)); n != len(b) || err != nil {
				t.Errorf("%s: wrote %d, %v", c.name, n, err)
			}
		}
		got := w.String()
		if !strings.HasPrefix(got, c.want) || len(got) != c.lengths {
			t.Errorf("%s: %d bytes %.20q are kept, wanted %d that begin with %.20q", c.name, len(got), got, c.lengths, c.want)
		}
		if strings.HasPrefix(got, "first") && !strings.HasSuffix(got, "last") {
			t.Errorf("%s: kept is not the end: %q", c.name, got[len(got)-20:])
		}
	}
}
