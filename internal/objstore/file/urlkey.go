package file

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/stillcast/stillcast/internal/objstore"
)

const (
	urlKeyFile = "url.key"
	urlKeySize = 32 // bytes
)

// loadURLKey returns the key that signs the URLs of pictures, from the file
// url.key in the data folder. It makes the file, and the folder, where they are
// missing.
func loadURLKey(dataDir string) (key []byte, err error) {
	dir, err := openFolder(dataDir)
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	key, err = readURLKey(dir)
	if !errors.Is(err, objstore.ErrNotFound) {
		return key, err
	}
	if err := makeURLKey(dir); err != nil {
		return nil, fmt.Errorf("make the key of picture URLs in %s: %w", dir.Name(), writeError(err))
	}
	return readURLKey(dir)
}

func readURLKey(dir *os.Root) ([]byte, error) {
	key, err := dir.ReadFile(urlKeyFile)
	if err != nil {
		return nil, fmt.Errorf("read the key of picture URLs: %w", readError(err))
	}
	if len(key) != urlKeySize {
		return nil, fmt.Errorf("read the key of picture URLs: %s/%s is %d bytes long, not %d; remove it to get a new one, which ends the validity of all URLs",
			dir.Name(), urlKeyFile, len(key), urlKeySize)
	}
	return key, nil
}

// makeURLKey leaves the key of another process alone when that was faster:
// unlike a rename, a link does not replace.
func makeURLKey(dir *os.Root) (err error) {
	temp := urlKeyFile + "." + rand.Text() + tempSuffix
	defer func() {
		if removed := dir.Remove(temp); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}()
	if err := writeURLKey(dir, temp); err != nil {
		return err
	}
	if err := dir.Link(temp, urlKeyFile); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(dir.Name())
}

func writeURLKey(dir *os.Root, name string) (err error) {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	key := make([]byte, urlKeySize)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	if _, err := f.Write(key); err != nil {
		return err
	}
	return f.Sync()
}
