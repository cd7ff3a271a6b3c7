package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/stillcast/stillcast"
)

// folderLock is the data folder, held by this process.
type folderLock struct{ file *os.File }

// lockFolder makes the folder of the database file at path and the file itself,
// where they are missing, and keeps other processes out until release. SQLite
// would let a second one in, which would then send every event again.
func lockFolder(path string, lookUp func(folder string) (fileSystem, error)) (*folderLock, error) {
	folder := filepath.Dir(path)
	if err := makeFolder(folder); err != nil {
		return nil, unusable(folder, err)
	}
	is, err := lookUp(folder)
	if err != nil {
		return nil, err
	}
	if err := refuseNetwork(folder, is); err != nil {
		return nil, err
	}
	// It is never removed: a process that waits at a removed file and one that
	// makes a new file would both hold "the" lock.
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unusable(folder, err)
	}
	l := &folderLock{file: file}
	if err := l.take(folder); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := makeFile(path); err != nil {
		return nil, errors.Join(unusable(folder, err), l.release())
	}
	return l, nil
}

func (l *folderLock) take(folder string) error {
	err := unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return stillcast.Errorf(stillcast.CodeConflict, "data_dir",
			"data folder %s is in use by another stillcast, pid %s, which holds the lock %s; end that one, or give each its own data folder",
			folder, l.owner(), l.file.Name())
	}
	if err != nil {
		return fmt.Errorf("lock data folder %s: %w", folder, err)
	}
	// The number is for people. A full disk must not keep the program from
	// starting, so failing to write it is no error.
	if err := l.file.Truncate(0); err == nil {
		_, _ = l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return nil
}

// owner returns what the process that holds the lock wrote.
func (l *folderLock) owner() string {
	content, err := io.ReadAll(io.LimitReader(l.file, 32))
	pid := strings.TrimSpace(string(content))
	if err != nil || pid == "" {
		return "unknown"
	}
	return pid
}

// release lets other processes in.
func (l *folderLock) release() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("release data folder: %w", err)
	}
	return nil
}

// makeFolder makes folder and those above it that are missing, durably.
func makeFolder(folder string) error {
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(folder)
	if parent != folder {
		if err := makeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(parent)
}

// makeFile makes an empty database file that only this user can read, since it
// holds keys; SQLite gives its other files the same mode.
func makeFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in folder durable.
func syncFolder(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// unusable says which setting to change.
func unusable(folder string, err error) error {
	reason := err
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		reason = fmt.Errorf("%s %s: %w", at.Op, at.Path, at.Err)
	}
	return stillcast.Errorf(stillcast.CodeInvalid, "data_dir",
		"data folder %s cannot be used (%v); it must be a folder in which this user may make and write files", folder, reason)
}

// lockHolder names the process that has locked the database for itself, as far
// as the kernel tells. Closing a file gives up all locks of this process on it, so
// no connection of ours may be open.
func lockHolder(path string) string {
	for _, name := range []string{path, path + "-shm"} {
		file, err := os.Open(name)
		if err != nil {
			continue
		}
		held := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
		err = unix.FcntlFlock(file.Fd(), unix.F_GETLK, &held)
		_ = file.Close() // only read
		if err == nil && held.Type != unix.F_UNLCK && held.Pid > 0 {
			return fmt.Sprintf("process %d", held.Pid)
		}
	}
	return "another process"
}
