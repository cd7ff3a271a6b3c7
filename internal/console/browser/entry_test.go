package browser

import (
	_ "embed"
	"testing"
)

//go:embed entry.mjs
var entryScript string

// TestEntry logs in, is refused what it may not do, is thrown out, and outlives a
// restart of the server.
func TestEntry(t *testing.T) {
	r := newRig(t)
	script{r, map[string]func(){"stop": r.stop, "start": r.start}}.run(entryScript, nil)
}
