package file

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/stillcast/stillcast/internal/objstore"
)

// Names of temporary files. "~" is in no name that a template can give, so that
// no picture lands among them.
const (
	tempFolder = ".~unfinished"
	tempPrefix = "put-"
	tempSuffix = ".tmp"
)

// writeChunk is how much is written between two looks at the context.
const writeChunk = 1 << 20

func isTempFolder(key string) bool {
	first, _, _ := strings.Cut(key, "/")
	return first == tempFolder
}

// Put keeps an object, in place of what was under its key. When it returns nil
// the object is readable, and with [Config.Fsync] it survives a power loss.
func (s *Store) Put(ctx context.Context, o objstore.Object) error {
	name, err := objectPath(o.Bucket, o.Key)
	if err == nil {
		err = objstore.ValidateMetadata(o.Metadata)
	}
	if err != nil {
		return fmt.Errorf("put a picture: %w", err)
	}
	temps := path.Join(bucketFolder(o.Bucket), tempFolder)
	err = s.put(ctx, name, temps, o.Body)
	if errors.Is(err, fs.ErrNotExist) {
		// Somebody removed a folder that we had made. Make it again, once.
		s.folders.forget()
		err = s.put(ctx, name, temps, o.Body)
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", s.full(name), writeError(err))
	}
	return nil
}

func (s *Store) put(ctx context.Context, name, temps string, body []byte) error {
	for _, folder := range []string{temps, path.Dir(name)} {
		if err := s.folders.ensure(folder); err != nil {
			return err
		}
	}
	from, err := s.handles.get(temps)
	if err != nil {
		return err
	}
	defer s.handles.release(from)
	to, err := s.handles.get(path.Dir(name))
	if err != nil {
		return err
	}
	defer s.handles.release(to)
	temp := tempPrefix + rand.Text() + tempSuffix
	err = s.writeTemp(ctx, from, temp, body)
	if err == nil {
		err = named("renameat", retry(func() error { return unix.Renameat(from.fd, temp, to.fd, path.Base(name)) }))
	}
	if err != nil {
		// That it may not exist is no news, and neither is a second failure on the
		// disk that failed: the next start removes what is left.
		_ = retry(func() error { return unix.Unlinkat(from.fd, temp, 0) })
		return err
	}
	if !s.config.Fsync {
		return nil
	}
	return named("fsync", retry(func() error { return unix.Fsync(to.fd) }))
}

// named says which system call failed.
func named(call string, err error) error { return os.NewSyscallError(call, err) }

func (s *Store) writeTemp(ctx context.Context, folder *handle, temp string, body []byte) (err error) {
	if err := objstore.ContextError(ctx); err != nil {
		return err
	}
	var fd int
	err = retry(func() (err error) {
		fd, err = unix.Openat(folder.fd, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, fileMode)
		return err
	})
	if err != nil {
		return named("openat", err)
	}
	defer func() { err = errors.Join(err, named("close", unix.Close(fd))) }()
	for len(body) > 0 {
		n := 0
		err := retry(func() (err error) {
			n, err = unix.Write(fd, body[:min(len(body), writeChunk)])
			return err
		})
		if err != nil {
			return named("write", err)
		}
		body = body[n:]
		if err := objstore.ContextError(ctx); err != nil {
			return err
		}
	}
	now := unix.NsecToTimespec(s.now().UnixNano())
	err = retry(func() error {
		return unix.UtimesNanoAt(folder.fd, temp, []unix.Timespec{now, now}, unix.AT_SYMLINK_NOFOLLOW)
	})
	if err != nil {
		return named("utimensat", err)
	}
	if !s.config.Fsync {
		return nil
	}
	if err := retry(func() error { return unix.Fsync(fd) }); err != nil {
		return named("fsync", err)
	}
	return objstore.ContextError(ctx) // the last chance: from here on the object appears
}

// probe tells whether the folder can be written to, so that a folder which
// cannot is found at start rather than by the first picture.
func (s *Store) probe() error {
	name := tempPrefix + rand.Text() + tempSuffix
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return fmt.Errorf("%s: %w", s.root.Name(), writeError(err))
	}
	err = s.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // another start took it for a leftover
	}
	return errors.Join(f.Close(), err)
}

// removeLeftovers removes the temporary files that a crash left.
func (s *Store) removeLeftovers() error {
	if err := s.removeTemps("."); err != nil { // of probe
		return err
	}
	buckets, err := s.readFolder(".")
	if err != nil {
		return err
	}
	for _, bucket := range buckets {
		if !bucket.IsDir() {
			continue
		}
		if err := s.removeTemps(path.Join(bucket.Name(), tempFolder)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) removeTemps(folder string) error {
	entries, err := s.readFolder(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.full(folder), readError(err))
	}
	for _, e := range entries {
		ours := strings.HasPrefix(e.Name(), tempPrefix) && strings.HasSuffix(e.Name(), tempSuffix)
		if !ours || !e.Type().IsRegular() {
			continue
		}
		name := path.Join(folder, e.Name())
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", s.full(name), writeError(err))
		}
	}
	return nil
}

func (s *Store) readFolder(name string) (entries []fs.DirEntry, err error) {
	f, err := s.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	entries, err = f.ReadDir(-1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return entries, err
}
