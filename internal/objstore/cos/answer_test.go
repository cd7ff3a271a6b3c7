package cos_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/cos"
	"github.com/stillcast/stillcast/internal/objstore/cos/costest"
	"github.com/stillcast/stillcast/internal/objstore/objstoretest"
)

// everything calls each method that asks COS.
func everything(ctx context.Context, s *cos.Store) map[string]error {
	_, headErr := s.Head(ctx, "", "a.jpg")
	r, _, getErr := s.Get(ctx, "", "a.jpg")
	if getErr == nil {
		_, getErr = io.Copy(io.Discard, r)
		_ = r.Close()
	}
	return map[string]error{
		"Put": s.Put(ctx, objstore.Object{Key: "a.jpg", Body: []byte("picture")}), "Head": headErr, "Get": getErr,
		"Delete": s.Delete(ctx, "", "a.jpg"), "Check": s.Check(ctx),
	}
}

// TestErrors: what COS answers is told by its kind, code and words, after one
// try and without credentials, even where COS repeats them.
func TestErrors(t *testing.T) {
	tests := []struct {
		status int
		code   string
		want   error
	}{
		{http.StatusNotFound, "NoSuchKey", objstore.ErrNotFound},
		{http.StatusNotFound, "NoSuchBucket", objstore.ErrUnavailable},
		{http.StatusForbidden, "AccessDenied", objstore.ErrDenied},
		{http.StatusForbidden, "SignatureDoesNotMatch", objstore.ErrDenied},
		{http.StatusForbidden, "InvalidAccessKeyId", objstore.ErrDenied},
		{http.StatusForbidden, "RequestTimeTooSkewed", objstore.ErrDenied},
		{http.StatusBadRequest, "ExpiredToken", objstore.ErrDenied},
		{http.StatusServiceUnavailable, "SlowDown", objstore.ErrThrottled},
		{http.StatusTooManyRequests, "TooManyRequests", objstore.ErrThrottled},
		{http.StatusServiceUnavailable, "ServiceUnavailable", objstore.ErrUnavailable},
		{http.StatusInternalServerError, "InternalError", objstore.ErrUnavailable},
		{http.StatusBadRequest, "RequestTimeOut", objstore.ErrUnavailable},
		{http.StatusUnavailableForLegalReasons, "UnavailableForLegalReasons", objstore.ErrUnavailable},
		{http.StatusBadRequest, "KeyTooLong", objstore.ErrName},
		{http.StatusBadRequest, "InvalidURI", objstore.ErrName},
	}
	for _, tt := range tests {
		d, c := double(t)
		d.Fail(costest.Refused(tt.status, tt.code, "no, "+secretID+" with "+secretKey+" and "+token+strings.Repeat("!", 10_000)))
		s := open(t, c)
		_, _, getErr := s.Get(t.Context(), "", "a.jpg")
		putErr := s.Put(t.Context(), objstore.Object{Key: "a.jpg", Body: []byte("picture")})
		if tt.code == "NoSuchKey" {
			putErr = getErr // of PUT it makes no sense
			d.Fail(nil)
			_, _, getErr = s.Get(t.Context(), "", "a.jpg")
		}
		for method, err := range map[string]error{"Get": getErr, "Put": putErr} {
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), fmt.Sprintf("COS answered %d %s", tt.status, tt.code)) {
				t.Errorf("%d %s: %s gave the error %v, want %v", tt.status, tt.code, method, err, tt.want)
			}
			withoutSecrets(t, err)
		}
		if d.Requests() > 3 {
			t.Errorf("%d %s: %d requests were made", tt.status, tt.code, d.Requests())
		}
	}
}

func withoutSecrets(t *testing.T, err error) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, secret := range []string{secretID, secretKey, token} {
		if strings.Contains(text, secret) {
			t.Errorf("the error %.500s holds the secret %s", text, secret)
		}
	}
	if len(err.Error()) > 800 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
}

// TestOneTry: whatever happens, a call is one request, and none goes elsewhere.
func TestOneTry(t *testing.T) {
	foreign := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request went to a foreign host")
	}))
	defer foreign.Close()
	for name, fault := range map[string]costest.Fault{
		"broken": costest.Broken, "throttled": costest.Throttled, "unavailable": costest.Unavailable, "denied": costest.Denied,
		"redirected": costest.Redirected(foreign.URL), "502": costest.Plain(http.StatusBadGateway),
	} {
		d, c := double(t)
		d.Fail(fault)
		s := open(t, c)
		errs := everything(t.Context(), s)
		for method, err := range errs {
			if err == nil {
				t.Errorf("%s: %s has no error", name, method)
				continue
			}
			withoutSecrets(t, err)
		}
		if got := d.Requests(); got != len(errs) {
			t.Errorf("%s: %d requests were made for %d calls", name, got, len(errs))
		}
	}
}

// TestMissingBucketIsNotAMissingObject: who asks for an object learns the difference.
func TestMissingBucketIsNotAMissingObject(t *testing.T) {
	_, c := double(t)
	c.Bucket = "gone-1250000000"
	for method, err := range everything(t.Context(), open(t, c)) {
		if !errors.Is(err, objstore.ErrUnavailable) || !strings.Contains(err.Error(), "gone-1250000000") {
			t.Errorf("%s gave the error %v, want ErrUnavailable that names the bucket", method, err)
		}
	}
	d, c := double(t)
	s := open(t, c)
	// Who may not look at the bucket still learns that the object is not there.
	d.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodHead && r.URL.Path == "/" && costest.Denied(w, r)
	})
	if _, err := s.Head(t.Context(), "", "none.jpg"); !errors.Is(err, objstore.ErrNotFound) {
		t.Errorf("Head gave the error %v, want ErrNotFound", err)
	}
	d.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodHead && r.URL.Path == "/" && costest.Unavailable(w, r)
	})
	if _, err := s.Head(t.Context(), "", "none.jpg"); !errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("Head gave the error %v, want ErrUnavailable: the bucket may be gone", err)
	}
}

func TestCheck(t *testing.T) {
	d, c := double(t)
	if err := open(t, c).Check(t.Context()); err != nil || d.Requests() != 1 {
		t.Errorf("Check gave the error %v after %d requests", err, d.Requests())
	}
	wrong := c
	wrong.SecretKey = "another-key"
	if err := open(t, wrong).Check(t.Context()); !errors.Is(err, objstore.ErrDenied) {
		t.Errorf("with a wrong key Check gave the error %v, want ErrDenied", err)
	}
	wrong = c
	wrong.SessionToken = ""
	if err := open(t, wrong).Check(t.Context()); !errors.Is(err, objstore.ErrDenied) {
		t.Errorf("without the token Check gave the error %v, want ErrDenied", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, c).Check(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("Check gave the error %v, want that of the context", err)
	}
}

// TestChecksum: what is stored otherwise than it was sent, and what comes
// otherwise than it is stored, is an error.
func TestChecksum(t *testing.T) {
	d, c := double(t)
	s := open(t, c)
	d.Fail(costest.WrongChecksum)
	for _, body := range []string{"", "picture"} {
		err := s.Put(t.Context(), objstore.Object{Key: "a.jpg", Body: []byte(body)})
		if !errors.Is(err, objstore.ErrUnavailable) || !strings.Contains(err.Error(), "CRC-64") {
			t.Errorf("Put gave the error %v, want one about the checksum", err)
		}
	}
	r, _, err := s.Get(t.Context(), "", "a.jpg")
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, objstore.ErrUnavailable) || !strings.Contains(err.Error(), "CRC-64") {
		t.Errorf("reading gave the error %v, want one about the checksum", err)
	}
	_ = r.Close()
	d.Fail(costest.Plain(http.StatusOK)) // of something that is no COS
	if err := s.Put(t.Context(), objstore.Object{Key: "a.jpg"}); !errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("an answer without checksum gave the error %v, want ErrUnavailable", err)
	}
	if _, err := s.Head(t.Context(), "", "a.jpg"); !errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("an answer without time gave the error %v, want ErrUnavailable", err)
	}
}

// TestHeaders: what the settings say goes with each picture.
func TestHeaders(t *testing.T) {
	d, c := double(t)
	c.StorageClass, c.ACL, c.ServerSideEncryption, c.KMSKeyID = "STANDARD_IA", "public-read", "cos/kms", "key-1"
	o := objstore.Object{
		Bucket: objstoretest.Bucket, Key: "a.jpg", Body: []byte("picture"), ContentType: "image/jpeg",
		CacheControl: "max-age=1", Metadata: map[string]string{"stream-id": "a, b=c&d"},
	}
	s := open(t, c)
	if err := s.Put(t.Context(), o); err != nil {
		t.Fatalf("Put: %v", err)
	}
	want := http.Header{
		"Content-Type": {"image/jpeg"}, "Cache-Control": {"max-age=1"}, "X-Cos-Meta-Stream-Id": {"a, b=c&d"},
		"X-Cos-Acl": {"public-read"}, "X-Cos-Storage-Class": {"STANDARD_IA"},
		"X-Cos-Server-Side-Encryption": {"cos/kms"}, "X-Cos-Server-Side-Encryption-Cos-Kms-Key-Id": {"key-1"},
	}
	stored, _ := d.Object(o.Bucket, o.Key)
	if diff := cmp.Diff(want, stored.Header); diff != "" || !bytes.Equal(stored.Body, o.Body) {
		t.Errorf("headers of %q (-want +got):\n%s", stored.Body, diff)
	}
	public, err := s.PublicURL(o.Bucket, "", o.Key)
	if err != nil {
		t.Fatal(err)
	}
	// Public-read: the URL of the event opens without a signature.
	if got := fetch(t, through(t, c), public); got != "picture" {
		t.Errorf("%s gave %q", public, got)
	}
	plain := c
	plain.StorageClass, plain.ACL, plain.ServerSideEncryption, plain.KMSKeyID = "", "", "", ""
	if err := open(t, plain).Put(t.Context(), objstore.Object{Key: "plain.jpg"}); err != nil {
		t.Fatalf("Put: %v", err)
	}
	stored, _ = d.Object(own, "plain.jpg")
	if diff := cmp.Diff(http.Header{}, stored.Header); diff != "" {
		t.Errorf("headers of what says nothing (-want +got):\n%s", diff)
	}
}

// TestTLS: an endpoint of its own with a certificate of its own authority, which
// is trusted only when it is configured.
func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // of the handshake that fails
	server.Config.Handler = costest.New(costest.Options{
		SecretID: secretID, SecretKey: secretKey, Buckets: map[string]string{own: region},
		Hosts: map[string]string{server.Listener.Addr().String(): own},
	})
	server.StartTLS()
	t.Cleanup(server.Close)
	c := good()
	c.Endpoint, c.Region = server.URL, ""
	err := open(t, c).Check(t.Context())
	if !errors.Is(err, objstore.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("with an unknown authority Check gave the error %v", err)
	}
	c.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(c.CAFile, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, c)
	if err := errors.Join(s.Check(t.Context()), s.Put(t.Context(), objstore.Object{Key: "a.jpg", Body: []byte("x")})); err != nil {
		t.Errorf("with the authority: %v", err)
	}
}
