// Package file is the object store that keeps pictures in one folder of the
// local file system, as FOLDER/BUCKET/KEY, with nothing beside them.
//
// It writes to a temporary file, syncs it, renames it onto its name and syncs
// the folder, so that a picture is there whole or not at all, whatever happens.
// It never reads or writes outside its folder, not even through symbolic links.
//
// Temporary files stand in one hidden folder per bucket rather than beside the
// pictures: what a crash left is then found at the next start without reading
// folders that may hold millions of pictures.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/stillcast/stillcast/internal/objstore"
)

const (
	// ownBucket is the folder, and the part of URLs, of the bucket "". No bucket
	// can have that name, see [objstore.ValidateBucket].
	ownBucket      = "_"
	picturesFolder = "pictures"

	// Pictures are for this user and group; the rest of the world takes the
	// signed URL.
	folderMode = 0o750
	fileMode   = 0o640
)

// Options is what a store is made from.
type Options struct {
	Config    Config
	DataDir   string // holds the key of signed URLs, and the pictures when Config.Dir is ""
	PublicURL string // base of the pictures' URLs: http(s)://HOST[:PORT][/PATH]
}

// Dir returns the folder of the pictures.
func (o Options) Dir() string {
	if o.Config.Dir != "" {
		return o.Config.Dir
	}
	return filepath.Join(o.DataDir, picturesFolder)
}

// Store keeps pictures in a folder. It implements the contract of package
// objstore, with these limits: the content type of an object is told from its
// bytes, its Cache-Control is that of [Config], its metadata is checked and
// dropped, since there is nothing beside the pictures, and a key cannot lie
// below another one ("a" and "a/b"). Buckets are folders that come into being
// with their first object. A context is looked at between system calls; one
// that hangs, as on a dead network file system, is not interrupted.
type Store struct {
	config  Config
	root    *os.Root
	folders *folders
	handles *handles
	urls    urls
	// lastModified makes modification times, and so ETags, unique: the kernel's
	// own time stamps are some milliseconds coarse.
	lastModified atomic.Int64
}

// Open makes the folders that are missing, removes what a crash left of unfinished
// puts, and returns the store. The caller closes it after its last use.
func Open(o Options) (*Store, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	key, err := loadURLKey(o.DataDir)
	if err != nil {
		return nil, err
	}
	u, err := newURLs(o, key)
	if err != nil {
		return nil, err
	}
	root, err := openFolder(o.Dir())
	if err != nil {
		return nil, fmt.Errorf("open the folder of the pictures: %w", err)
	}
	s := &Store{config: o.Config, root: root, folders: newFolders(root, o.Config.Fsync), urls: u}
	if s.handles, err = newHandles(root); err != nil {
		return nil, errors.Join(fmt.Errorf("open the folder of the pictures: %w", storeError(err)), root.Close())
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) prepare() error {
	if err := s.removeLeftovers(); err != nil {
		return fmt.Errorf("remove unfinished pictures: %w", err)
	}
	if err := s.probe(); err != nil {
		return fmt.Errorf("write to the folder of the pictures: %w", err)
	}
	return nil
}

// Close releases the folder. The store must not be used afterwards.
func (s *Store) Close() error { return errors.Join(s.handles.close(), s.root.Close()) }

// Head describes an object.
func (s *Store) Head(ctx context.Context, bucket, key string) (objstore.Info, error) {
	f, info, err := s.Open(ctx, bucket, key)
	if err != nil {
		return objstore.Info{}, err
	}
	return info, f.Close()
}

// Get returns an object's body, which the caller closes, and its description.
func (s *Store) Get(ctx context.Context, bucket, key string) (io.ReadCloser, objstore.Info, error) {
	return s.Open(ctx, bucket, key)
}

// Open is [Store.Get] with a body that can be read from any place.
func (s *Store) Open(ctx context.Context, bucket, key string) (io.ReadSeekCloser, objstore.Info, error) {
	name, err := objectPath(bucket, key)
	if err != nil {
		return nil, objstore.Info{}, fmt.Errorf("get a picture: %w", err)
	}
	if err := objstore.ContextError(ctx); err != nil {
		return nil, objstore.Info{}, fmt.Errorf("get %s: %w", s.full(name), err)
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, objstore.Info{}, fmt.Errorf("get %s: %w", s.full(name), readError(err))
	}
	info, err := s.describe(f)
	if err != nil {
		return nil, objstore.Info{}, errors.Join(fmt.Errorf("get %s: %w", s.full(name), err), f.Close())
	}
	return f, info, nil
}

func (s *Store) describe(f *os.File) (objstore.Info, error) {
	stat, err := f.Stat()
	if err != nil {
		return objstore.Info{}, readError(err)
	}
	if !stat.Mode().IsRegular() {
		return objstore.Info{}, fmt.Errorf("%w: it is a folder or a special file", objstore.ErrNotFound)
	}
	contentType, err := sniff(f)
	if err != nil {
		return objstore.Info{}, readError(err)
	}
	return objstore.Info{
		Size:         stat.Size(),
		ContentType:  contentType,
		CacheControl: s.config.CacheControl,
		ETag:         fmt.Sprintf(`"%x-%x"`, stat.ModTime().UnixNano(), stat.Size()),
		Modified:     stat.ModTime(),
	}, nil
}

// sniff tells the content type from the first bytes: a name may have any
// extension, as templates set it. Nothing but pictures gets a type that a
// browser would show.
func sniff(f *os.File) (string, error) {
	var head [512]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch t := http.DetectContentType(head[:n]); t {
	case "image/jpeg", "image/png", "image/webp", "image/gif":
		return t, nil
	}
	return "application/octet-stream", nil
}

// Delete removes an object. Folders stay, also when they are empty by then.
func (s *Store) Delete(ctx context.Context, bucket, key string) error {
	name, err := objectPath(bucket, key)
	if err != nil {
		return fmt.Errorf("delete a picture: %w", err)
	}
	if err := objstore.ContextError(ctx); err != nil {
		return fmt.Errorf("delete %s: %w", s.full(name), err)
	}
	if stat, err := s.root.Lstat(name); err == nil && stat.IsDir() {
		return nil // the folder of other keys, no object
	}
	err = readError(s.root.Remove(name))
	if err == nil {
		err = s.folders.sync(path.Dir(name))
	}
	if err != nil && !errors.Is(err, objstore.ErrNotFound) {
		return fmt.Errorf("delete %s: %w", s.full(name), err)
	}
	return nil
}

// objectPath returns where an object lies below the store's folder.
func objectPath(bucket, key string) (string, error) {
	if err := objstore.ValidateBucket(bucket); err != nil {
		return "", err
	}
	if err := objstore.ValidateKey(key); err != nil {
		return "", err
	}
	if isTempFolder(key) {
		return "", fmt.Errorf("%w: the key %q lies in the folder of temporary files", objstore.ErrName, key)
	}
	name := path.Join(bucketFolder(bucket), key)
	if !filepath.IsLocal(name) { // reserved names of other systems
		return "", fmt.Errorf("%w: the key %q is no file name on this system", objstore.ErrName, key)
	}
	return name, nil
}

func bucketFolder(bucket string) string {
	if bucket == "" {
		return ownBucket
	}
	return bucket
}

// full is the path for people, in messages.
func (s *Store) full(name string) string { return filepath.Join(s.root.Name(), name) }

// now returns the current time, later than any that it returned before.
func (s *Store) now() time.Time {
	for {
		last := s.lastModified.Load()
		now := max(time.Now().UnixNano(), last+1)
		if s.lastModified.CompareAndSwap(last, now) {
			return time.Unix(0, now)
		}
	}
}
