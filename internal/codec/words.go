package codec

import "sync"

// words keeps the first and the last bytes that a worker wrote to standard
// error: crashes begin with their reason, and tools end with it.
type words struct {
	mu    sync.Mutex
	first []byte
	last  []byte
	lost  bool // there was more between them
}

// wordsSize is how many bytes are kept of each end.
const wordsSize = 1 << 10

// Write implements io.Writer and never fails.
func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(b), wordsSize-len(w.first))
	w.first = append(w.first, b[:n]...)
	w.last = append(w.last, b[max(n, len(b)-wordsSize):]...)
	if more := len(w.last) - wordsSize; more > 0 || len(b)-n > wordsSize {
		w.last, w.lost = w.last[max(0, more):], true
	}
	return len(b), nil
}

// String returns what was kept, as one line.
func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost {
		return printable(w.first) + " … " + printable(w.last)
	}
	return printable(w.first) + printable(w.last)
}
