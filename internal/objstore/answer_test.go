package objstore_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

func TestKindOf(t *testing.T) {
	tests := []struct {
		status int
		code   string
		want   error
	}{
		{404, "NoSuchKey", objstore.ErrNotFound},
		{404, "", objstore.ErrNotFound},
		{404, "NoSuchBucket", objstore.ErrUnavailable},
		{404, "SomethingElse", objstore.ErrUnavailable},
		{404, "XAdminUserNotFound", objstore.ErrDenied},
		{403, "", objstore.ErrDenied},
		{401, "", objstore.ErrDenied},
		{403, "AccessDenied", objstore.ErrDenied},
		{403, "SignatureDoesNotMatch", objstore.ErrDenied},
		{403, "InvalidAccessKeyId", objstore.ErrDenied},
		{403, "RequestTimeTooSkewed", objstore.ErrDenied},
		{400, "ExpiredToken", objstore.ErrDenied},
		{400, "AuthorizationHeaderMalformed", objstore.ErrDenied},
		{403, "QuotaExceeded", objstore.ErrUnavailable},
		{503, "SlowDown", objstore.ErrThrottled},
		{503, "RequestLimitExceeded", objstore.ErrThrottled},
		{429, "", objstore.ErrThrottled},
		{429, "whatever", objstore.ErrThrottled},
		{503, "", objstore.ErrUnavailable},
		{503, "ServiceUnavailable", objstore.ErrUnavailable},
		{500, "InternalError", objstore.ErrUnavailable},
		{502, "", objstore.ErrUnavailable},
		{400, "RequestTimeout", objstore.ErrUnavailable},
		{400, "BadDigest", objstore.ErrUnavailable},
		{301, "PermanentRedirect", objstore.ErrUnavailable},
		{409, "OperationAborted", objstore.ErrUnavailable},
		{400, "KeyTooLongError", objstore.ErrName},
		{400, "EntityTooLarge", objstore.ErrName},
		{409, "ObjectParentIsFile", objstore.ErrName},
		{0, "", objstore.ErrUnavailable},
	}
	for _, tt := range tests {
		if got := objstore.KindOf(tt.status, tt.code); !errors.Is(got, tt.want) {
			t.Errorf("KindOf(%d, %q) is %q, want %q", tt.status, tt.code, got, tt.want)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	broken := errors.New("connection reset")
	if err := objstore.NoAnswer(t.Context(), broken); !errors.Is(err, objstore.ErrUnavailable) || !errors.Is(err, broken) {
		t.Errorf("a broken connection is %v", err)
	}
	stopping := errors.New("the program stops")
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(stopping)
	err := objstore.NoAnswer(canceled, broken)
	if errors.Is(err, objstore.ErrUnavailable) || !errors.Is(err, context.Canceled) || !errors.Is(err, stopping) {
		t.Errorf("a broken connection after the cancellation is %v", err)
	}
	expired, cancelExpired := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelExpired()
	if err := objstore.ContextError(expired); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	if err := objstore.ContextError(t.Context()); err != nil {
		t.Errorf("a context that is not done gives %v", err)
	}
}

func TestBody(t *testing.T) {
	whole := objstore.Body(t.Context(), io.NopCloser(strings.NewReader("whole")))
	if got, err := io.ReadAll(whole); string(got) != "whole" || err != nil {
		t.Errorf("a body reads as %q, %v", got, err)
	}
	half := io.MultiReader(strings.NewReader("ha"), iotest.ErrReader(io.ErrUnexpectedEOF))
	got, err := io.ReadAll(objstore.Body(t.Context(), io.NopCloser(half)))
	if string(got) != "ha" || !errors.Is(err, objstore.ErrUnavailable) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a body reads as %q, %v", got, err)
	}
}

func TestValidateMetadata(t *testing.T) {
	long := strings.Repeat("v", objstore.MaxMetadata-1)
	tests := []struct {
		key, value, want string
	}{
		{"event-id", "0193a1b2 ~!", ""},
		{"k", long, ""},
		{"k", long + "v", "has 2049 bytes; at most 2048 are allowed"},
		{"K", "v", `holds 'K'; allowed are lower-case letters, digits and '-'`},
		{"k", "a\x7fb", "allowed is printable ASCII"},
		{"k", "v ", "with a space at an end"},
		{"k", "", "is empty on one side"},
	}
	for _, tt := range tests {
		err := objstore.Object{Key: "a.jpg", Metadata: map[string]string{tt.key: tt.value}}.Validate()
		wantNameError(t, err, tt.key+": "+tt.value, tt.want)
	}
	wantNameError(t, objstore.Object{Key: "/"}.Validate(), "/", "path part")
	wantNameError(t, objstore.Object{Key: "a", Bucket: "B"}.Validate(), "B", "holds 'B'")
}

func TestValidateLifetime(t *testing.T) {
	for lifetime, want := range map[time.Duration]bool{
		time.Second: true, 7 * 24 * time.Hour: true, 0: false, time.Second + 1: false, 7*24*time.Hour + time.Second: false,
	} {
		err := objstore.ValidateLifetime(lifetime)
		if ok := err == nil; ok != want || !ok && stillcast.CodeOf(err) != stillcast.CodeInvalid {
			t.Errorf("the lifetime %s gave the error %v", lifetime, err)
		}
	}
}
