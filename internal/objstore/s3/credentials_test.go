package s3_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/s3"
	"github.com/stillcast/stillcast/internal/testkit"
)

func TestEnvironmentCredentials(t *testing.T) {
	g := startGateway(t, testkit.VersityGWOptions{})
	c := g.config(ownBucket)
	c.Credentials, c.AccessKey, c.SecretKey = s3.CredentialsEnvironment, "", ""
	t.Setenv("AWS_ACCESS_KEY_ID", g.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SECRET_KEY", "")
	_, err := s3.Open(c)
	wantError(t, err, "credentials: is environment, but AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set")
	t.Setenv("AWS_SECRET_ACCESS_KEY", g.SecretKey)
	if err := openStore(t, c).Put(t.Context(), picture("a.jpg", []byte("a"))); err != nil {
		t.Errorf("Put: %v", err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	if err := openStore(t, c).Put(t.Context(), picture("a.jpg", []byte("a"))); !errors.Is(err, objstore.ErrDenied) {
		t.Errorf("with a wrong key Put gave the error %v, want ErrDenied", err)
	}
}

// TestInstanceCredentials has them come from where containers get theirs
// (Amazon ECS developer guide, "Task IAM role").
func TestInstanceCredentials(t *testing.T) {
	g := startGateway(t, testkit.VersityGWOptions{})
	var asked atomic.Int64
	lifetime := 3 * time.Hour
	role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{
			"AccessKeyId": g.AccessKey, "SecretAccessKey": g.SecretKey, "Token": "",
			"Expiration": time.Now().Add(lifetime).UTC().Format(time.RFC3339),
		})
	}))
	t.Cleanup(role.Close)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", role.URL+"/role")
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token")

	c := g.config(ownBucket)
	c.Credentials, c.AccessKey, c.SecretKey = s3.CredentialsInstance, "", ""
	s := openStore(t, c)
	if got := asked.Load(); got != 0 {
		t.Errorf("Open asked %d times for credentials, want none", got)
	}
	for range 3 {
		if err := s.Put(t.Context(), picture("a.jpg", []byte("a"))); err != nil {
			t.Fatalf("Put: %v", err)
		}
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("three requests asked %d times for credentials, want once", got)
	}

	lifetime = -time.Second // has ended when it comes
	asked.Store(0)
	s = openStore(t, c)
	for range 2 {
		if err := s.Put(t.Context(), picture("a.jpg", []byte("a"))); err != nil {
			t.Fatalf("Put: %v", err)
		}
	}
	if got := asked.Load(); got < 2 {
		t.Errorf("two requests asked %d times for credentials that have ended, want for each", got)
	}

	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong")
	if err := openStore(t, c).Put(t.Context(), picture("a.jpg", []byte("a"))); !errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("without credentials Put gave the error %v, want ErrUnavailable", err)
	}
}
