package objstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/objstore"
)

func TestValidateKey(t *testing.T) {
	longest := strings.Repeat("x/", objstore.MaxKey/2-1) + "yz"
	tests := []struct {
		key, want string // want is part of the message, "" for none
	}{
		{"2026-11-26/cam-1.jpg", ""},
		{longest, ""},
		{strings.Repeat("s", objstore.MaxSegment), ""},
		{"...", ""},
		{"", "the key is empty"},
		{longest + "!", "is 1025 bytes long; at most 1024 are allowed"},
		{"a/" + strings.Repeat("s", objstore.MaxSegment+1), "holds a path part of 256 bytes; at most 255 are allowed"},
		{"/a", `holds the path part ""`},
		{"a/", `holds the path part ""`},
		{"a/../b", `holds the path part ".."`},
		{"./b", `holds the path part "."`},
		{"a\x00b", "holds a NUL byte"},
		{"a\xffb", "is not valid UTF-8"},
	}
	for _, tt := range tests {
		wantNameError(t, objstore.ValidateKey(tt.key), tt.key, tt.want)
	}
}

func TestValidateBucket(t *testing.T) {
	tests := []struct{ bucket, want string }{
		{"", ""},
		{"shots-1250000000", ""},
		{"a.b", ""},
		{"-", ""},
		{".", `holds '.'`},
		{"_", `holds '_'`},
		{"Shots", `holds 'S'`},
		{"a/b", `holds '/'`},
		{strings.Repeat("b", 256), "is 256 bytes long; at most 255 are allowed"},
	}
	for _, tt := range tests {
		wantNameError(t, objstore.ValidateBucket(tt.bucket), tt.bucket, tt.want)
	}
}

func wantNameError(t *testing.T, err error, name, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%.40q is refused: %v", name, err)
	case want != "" && (!errors.Is(err, objstore.ErrName) || !strings.Contains(err.Error(), want)):
		t.Errorf("%.40q gave the error %v, want ErrName saying %q", name, err, want)
	}
}
