package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/stillcast/stillcast/internal/objstore"
)

// readError wraps err, of looking at what may not be there, in an error of
// package objstore.
func readError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist), isAny(err, syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG):
		return fmt.Errorf("%w: %w", objstore.ErrNotFound, err)
	}
	return storeError(err)
}

// writeError wraps err, of making something, in an error of package objstore.
func writeError(err error) error {
	switch {
	case err == nil:
		return nil
	case isAny(err, syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.EEXIST):
		// A folder has the name of the file to be, or a file that of a folder.
		return fmt.Errorf("%w: %w", objstore.ErrName, err)
	}
	return storeError(err)
}

func storeError(err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, fs.ErrPermission), isAny(err, syscall.EROFS):
		return fmt.Errorf("%w: %w", objstore.ErrDenied, err)
	case !errors.As(err, &errno):
		// Not the kernel but os.Root refused: a symbolic link leads out of the
		// store's folder.
		return fmt.Errorf("%w: %w", objstore.ErrDenied, err)
	}
	return fmt.Errorf("%w: %w", objstore.ErrUnavailable, err)
}

func isAny(err error, targets ...syscall.Errno) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}
