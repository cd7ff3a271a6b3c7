// Command worker is a worker and nothing else. Tests build it without the
// sanitizers that they run under themselves, whose shadow memory no limit allows.
package main

import (
	"fmt"
	"os"

	"github.com/stillcast/stillcast/internal/codec"
)

func main() {
	if err := codec.RunWorker(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
