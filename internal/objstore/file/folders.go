package file

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// maxKnownFolders bounds the memory of [folders]. Forgetting costs no more than
// making sure again.
const maxKnownFolders = 4096

// folders makes folders and remembers which of them are durable: that a folder
// exists does not mean that it survives a power loss, since another put may
// just be making it.
type folders struct {
	root    *os.Root
	durable bool // sync what is made

	making sync.Mutex // held while folders are made and synced
	mu     sync.RWMutex
	known  map[string]struct{}
}

func newFolders(root *os.Root, durable bool) *folders {
	return &folders{root: root, durable: durable, known: make(map[string]struct{})}
}

// ensure makes a folder and those above it, where they are missing, and returns
// when all of them are durable.
func (f *folders) ensure(folder string) error {
	if f.isKnown(folder) {
		return nil
	}
	f.making.Lock()
	defer f.making.Unlock()
	parent := "."
	for segment := range strings.SplitSeq(folder, "/") {
		child := path.Join(parent, segment)
		if err := f.make(parent, child); err != nil {
			return err
		}
		parent = child
	}
	return nil
}

func (f *folders) make(parent, child string) error {
	if f.isKnown(child) {
		return nil
	}
	if err := f.root.Mkdir(child, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := f.sync(parent); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known) >= maxKnownFolders {
		clear(f.known)
	}
	f.known[child] = struct{}{}
	return nil
}

func (f *folders) isKnown(folder string) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	_, ok := f.known[folder]
	return ok
}

// forget makes every folder be looked at again.
func (f *folders) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.known)
}

// sync makes the names in a folder durable.
func (f *folders) sync(folder string) error {
	if !f.durable {
		return nil
	}
	d, err := f.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openFolder makes a folder with those above it, syncs what it made, and opens it.
func openFolder(dir string) (*os.Root, error) {
	if err := makeFolder(filepath.Clean(dir)); err != nil {
		return nil, storeError(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, storeError(err)
	}
	return root, nil
}

func makeFolder(dir string) error {
	if stat, err := os.Stat(dir); err == nil {
		if !stat.IsDir() {
			return &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(parent)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // a folder that the operator configured
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
