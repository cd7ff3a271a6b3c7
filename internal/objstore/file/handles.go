package file

import (
	"errors"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// maxHandles bounds the folders that are kept open.
const maxHandles = 64

// handles keeps folders open that pictures were put into, so that a put does not
// walk the path, folder by folder, for each system call. Folders are opened by
// [os.Root], which does not leave the store's folder.
type handles struct {
	root *os.Root
	top  *os.File // the store's folder itself

	mu   sync.Mutex
	open map[string]*handle
}

// handle is an open folder. Its user gives it back with handles.release.
type handle struct {
	file  *os.File
	fd    int
	stat  unix.Stat_t
	users int
	old   bool // closed when its last user is done
}

func newHandles(root *os.Root) (*handles, error) {
	top, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	return &handles{root: root, top: top, open: make(map[string]*handle)}, nil
}

// get returns a folder that stands under that name now: somebody may have moved
// the one that is open.
func (h *handles) get(folder string) (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := h.open[folder]; d != nil {
		if h.stands(folder, d) {
			d.users++
			return d, nil
		}
		h.drop(folder, d)
	}
	file, err := h.root.Open(folder)
	if err != nil {
		return nil, err
	}
	d := &handle{file: file, fd: int(file.Fd()), users: 1}
	if err := unix.Fstat(d.fd, &d.stat); err != nil {
		return nil, errors.Join(os.NewSyscallError("fstat", err), file.Close())
	}
	if d.stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: folder, Err: unix.ENOTDIR}, file.Close())
	}
	for name, other := range h.open {
		if len(h.open) < maxHandles {
			break
		}
		h.drop(name, other)
	}
	h.open[folder] = d
	return d, nil
}

func (h *handles) stands(folder string, d *handle) bool {
	var now unix.Stat_t
	err := retry(func() error { return unix.Fstatat(int(h.top.Fd()), folder, &now, 0) })
	return err == nil && now.Dev == d.stat.Dev && now.Ino == d.stat.Ino
}

func (h *handles) release(d *handle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.users--
	if d.old && d.users == 0 {
		_ = d.file.Close() // nothing was written to it
	}
}

// drop keeps a folder open no longer than it is used.
func (h *handles) drop(folder string, d *handle) {
	delete(h.open, folder)
	d.old = true
	if d.users == 0 {
		_ = d.file.Close()
	}
}

// close closes all folders, of which none may be in use.
func (h *handles) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, d := range h.open {
		h.drop(name, d)
	}
	return h.top.Close()
}

// retry repeats a system call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
