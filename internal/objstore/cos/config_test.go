package cos_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore/cos"
)

func good() cos.Config {
	c := cos.DefaultConfig()
	c.Bucket, c.Region, c.SecretID, c.SecretKey = own, region, secretID, secretKey
	return c
}

func TestConfigValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*cos.Config)
		want   string // field at fault, "" for none
	}{
		{"good", func(*cos.Config) {}, ""},
		{"no bucket", func(c *cos.Config) { c.Bucket = "" }, "bucket"},
		{"bucket without APPID", func(c *cos.Config) { c.Bucket = "shots" }, "bucket"},
		{"bucket with a word for an APPID", func(c *cos.Config) { c.Bucket = "shots-a" }, "bucket"},
		{"bucket without name", func(c *cos.Config) { c.Bucket = "-1250000000" }, "bucket"},
		{"bucket with a dot", func(c *cos.Config) { c.Bucket = "a.b-1250000000" }, "bucket"},
		{"bucket too long", func(c *cos.Config) { c.Bucket = strings.Repeat("b", 53) + "-1250000000" }, "bucket"},
		{"no region", func(c *cos.Config) { c.Region = "" }, "region"},
		{"region with a dot", func(c *cos.Config) { c.Region = "evil.example.com/" }, "region"},
		{"accelerate needs a region for the public form", func(c *cos.Config) { c.Endpoint, c.Region = "accelerate", "" }, "region"},
		{"internal", func(c *cos.Config) { c.Endpoint = "internal" }, ""},
		{"endpoint unknown", func(c *cos.Config) { c.Endpoint = "fast" }, "endpoint"},
		{"endpoint of a private cloud", func(c *cos.Config) { c.Endpoint = "https://{bucket}.cos.{region}.example.com:8443/" }, ""},
		{"endpoint for one bucket", func(c *cos.Config) { c.Endpoint, c.Region = "https://pictures.example.com", "" }, ""},
		{"endpoint with a path", func(c *cos.Config) { c.Endpoint = "https://example.com/{bucket}" }, "endpoint"},
		{"endpoint with another mark", func(c *cos.Config) { c.Endpoint = "https://{Bucket}.example.com" }, "endpoint"},
		{"endpoint with a password", func(c *cos.Config) { c.Endpoint = "https://a:b@example.com" }, "endpoint"},
		{"endpoint over ftp", func(c *cos.Config) { c.Endpoint = "ftp://example.com" }, "endpoint"},
		{"public URL", func(c *cos.Config) { c.PublicURL = "https://{bucket}.cos.accelerate.myqcloud.com" }, ""},
		{"public URL without scheme", func(c *cos.Config) { c.PublicURL = "cdn.example.com" }, "public_url"},
		{"scheme", func(c *cos.Config) { c.Scheme = "" }, "scheme"},
		{"proxy", func(c *cos.Config) { c.Proxy = "127.0.0.1:3128" }, "proxy"},
		{"credentials unknown", func(c *cos.Config) { c.Credentials = "instance" }, "credentials"},
		{"no id", func(c *cos.Config) { c.SecretID = "" }, "secret_id"},
		{"no key", func(c *cos.Config) { c.SecretKey = "" }, "secret_key"},
		{"key with a line break", func(c *cos.Config) { c.SecretKey = "a\n" }, "secret_key"},
		{"token with a space", func(c *cos.Config) { c.SessionToken = " a" }, "session_token"},
		{"key beside the environment", func(c *cos.Config) { c.Credentials, c.SecretID = "environment", "" }, "secret_key"},
		{"storage class", func(c *cos.Config) { c.StorageClass = "MAZ_STANDARD_IA" }, ""},
		{"storage class in lower case", func(c *cos.Config) { c.StorageClass = "standard" }, "storage_class"},
		{"storage class that cannot be read", func(c *cos.Config) { c.StorageClass = "DEEP_ARCHIVE" }, "storage_class"},
		{"acl", func(c *cos.Config) { c.ACL = "public-read" }, ""},
		{"acl of buckets", func(c *cos.Config) { c.ACL = "public-read-write" }, "acl"},
		{"encryption", func(c *cos.Config) { c.ServerSideEncryption = "aes" }, "server_side_encryption"},
		{"encryption with a key", func(c *cos.Config) { c.ServerSideEncryption, c.KMSKeyID = "cos/kms", "k-1" }, ""},
		{"key without encryption", func(c *cos.Config) { c.KMSKeyID = "k-1" }, "kms_key_id"},
		{"key with a line break", func(c *cos.Config) { c.ServerSideEncryption, c.KMSKeyID = "cos/kms", "a\r\nb" }, "kms_key_id"},
	}
	for _, tt := range tests {
		c := good()
		tt.change(&c)
		wantField(t, tt.name, c.Validate(), tt.want)
		if s, err := cos.Open(c); err == nil {
			if tt.want != "" {
				t.Errorf("%s: Open has no error", tt.name)
			}
			_ = s.Close()
		}
	}
}

func wantField(t *testing.T, name string, err error, want string) {
	t.Helper()
	e, ok := errors.AsType[*stillcast.Error](err)
	if ok && want == "" || !ok && (want != "" || err != nil) || ok && e.Field != want {
		t.Errorf("%s: the error is %v, want field %q", name, err, want)
	}
	if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), secretKey) {
		t.Errorf("%s: the error %v holds the key", name, err)
	}
}

func TestEnvironment(t *testing.T) {
	d, c := double(t)
	c.Credentials, c.SecretID, c.SecretKey, c.SessionToken = cos.CredentialsEnvironment, "", "", ""
	for _, name := range []string{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN"} {
		t.Setenv(name, "")
	}
	_, err := cos.Open(c)
	wantField(t, "empty environment", err, "credentials")

	t.Setenv("TENCENTCLOUD_SECRET_ID", secretID)
	t.Setenv("TENCENTCLOUD_SECRET_KEY", secretKey)
	for _, name := range []string{"TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, token)
			if err := open(t, c).Check(t.Context()); err != nil {
				t.Errorf("Check: %v", err)
			}
		})
	}
	if d.Requests() != 2 {
		t.Errorf("the double was asked %d times, want twice", d.Requests())
	}
}

func TestCAFile(t *testing.T) {
	c := good()
	c.CAFile = filepath.Join(t.TempDir(), "none.pem")
	_, err := cos.Open(c)
	wantField(t, "no file", err, "ca_file")
	if err := os.WriteFile(c.CAFile, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = cos.Open(c)
	wantField(t, "no certificate", err, "ca_file")
}
