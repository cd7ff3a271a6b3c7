package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/stillcast/stillcast/internal/objstore"
)

func TestErrorKinds(t *testing.T) {
	tests := []struct {
		err         error
		read, write error
	}{
		{syscall.ENOENT, objstore.ErrNotFound, objstore.ErrUnavailable},
		{syscall.ENOTDIR, objstore.ErrNotFound, objstore.ErrName},
		{syscall.EISDIR, objstore.ErrNotFound, objstore.ErrName},
		{syscall.ENAMETOOLONG, objstore.ErrNotFound, objstore.ErrName},
		{syscall.EACCES, objstore.ErrDenied, objstore.ErrDenied},
		{syscall.EPERM, objstore.ErrDenied, objstore.ErrDenied},
		{syscall.EROFS, objstore.ErrDenied, objstore.ErrDenied},
		{syscall.ENOSPC, objstore.ErrUnavailable, objstore.ErrUnavailable},
		{syscall.EDQUOT, objstore.ErrUnavailable, objstore.ErrUnavailable},
		{syscall.EIO, objstore.ErrUnavailable, objstore.ErrUnavailable},
		{syscall.EMFILE, objstore.ErrUnavailable, objstore.ErrUnavailable},
		{syscall.EXDEV, objstore.ErrUnavailable, objstore.ErrUnavailable},
		{errors.New("path escapes from parent"), objstore.ErrDenied, objstore.ErrDenied},
		{context.Canceled, context.Canceled, context.Canceled},
		{context.DeadlineExceeded, context.DeadlineExceeded, context.DeadlineExceeded},
	}
	for _, tt := range tests {
		err := fmt.Errorf("try: %w", &fs.PathError{Op: "open", Path: "a.jpg", Err: tt.err})
		for name, c := range map[string]struct{ got, want error }{
			"readError": {readError(err), tt.read}, "writeError": {writeError(err), tt.write},
		} {
			if !errors.Is(c.got, c.want) || !errors.Is(c.got, tt.err) {
				t.Errorf("%s(%v) is %v, want %v wrapping it", name, tt.err, c.got, c.want)
			}
		}
	}
	if readError(nil) != nil || writeError(nil) != nil {
		t.Error("nil became an error")
	}
}
