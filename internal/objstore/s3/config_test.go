package s3_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore/s3"
)

func validConfig() s3.Config {
	c := s3.DefaultConfig()
	c.Endpoint, c.Bucket, c.AccessKey, c.SecretKey = "https://s3.eu-west-1.amazonaws.com", "shots", "AKIA", "hidden"
	return c
}

func TestValidate(t *testing.T) {
	tests := map[string]struct {
		change func(*s3.Config)
		want   string // "FIELD: " and part of the message; "" for none
	}{
		"good":               {func(*s3.Config) {}, ""},
		"no bucket":          {func(c *s3.Config) { c.Bucket = "" }, ""},
		"no endpoint":        {func(c *s3.Config) { c.Endpoint = "" }, `endpoint: is ""; expected http(s)://HOST[:PORT]`},
		"no scheme":          {func(c *s3.Config) { c.Endpoint = "s3.example.com:9000" }, "endpoint: is"},
		"other scheme":       {func(c *s3.Config) { c.Endpoint = "ftp://s3.example.com" }, "endpoint: is"},
		"path":               {func(c *s3.Config) { c.Endpoint += "/shots" }, "endpoint: is more than"},
		"password":           {func(c *s3.Config) { c.Endpoint = "https://a:hidden@s3.example.com" }, "endpoint: is more than"},
		"slash at the end":   {func(c *s3.Config) { c.Endpoint += "/" }, ""},
		"no region":          {func(c *s3.Config) { c.Region = "" }, `region: is ""`},
		"region with a line": {func(c *s3.Config) { c.Region = "eu\n" }, "region: is"},
		"addressing":         {func(c *s3.Config) { c.Addressing = "dns" }, `addressing: is "dns"; allowed are auto, path and virtual`},
		"virtual at an address": {
			func(c *s3.Config) { c.Endpoint, c.Addressing = "http://[::1]:9000", s3.AddressingVirtual }, "addressing: is virtual, but the endpoint",
		},
		"bucket in capitals": {func(c *s3.Config) { c.Bucket = "Shots" }, `bucket: object not allowed: the bucket's name "Shots" holds 'S'`},
		"short bucket":       {func(c *s3.Config) { c.Bucket = "ab" }, "bucket: object not allowed: the bucket's name \"ab\": Bucket name cannot be shorter than 3"},
		"credentials":        {func(c *s3.Config) { c.Credentials = "file" }, `credentials: is "file"; allowed are static, environment and instance`},
		"no access key":      {func(c *s3.Config) { c.AccessKey = "" }, "access_key: is empty"},
		"no secret key":      {func(c *s3.Config) { c.SecretKey = "" }, "secret_key: is empty"},
		"two sources":        {func(c *s3.Config) { c.Credentials = s3.CredentialsInstance }, "credentials: is instance, but access_key"},
		"CA without TLS":     {func(c *s3.Config) { c.Endpoint, c.CAFile = "http://s3.example.com", "ca.pem" }, "ca_file: is given, but"},
		"encryption":         {func(c *s3.Config) { c.Encryption = "aes256" }, `encryption: is "aes256"; allowed are AES256 and aws:kms`},
		"key without KMS":    {func(c *s3.Config) { c.Encryption, c.KMSKey = s3.EncryptionS3, "k" }, `kms_key: is given, but encryption is "AES256"`},
		"key with a space":   {func(c *s3.Config) { c.Encryption, c.KMSKey = s3.EncryptionKMS, "k k" }, "kms_key:"},
		"acl":                {func(c *s3.Config) { c.ACL = "public" }, `acl: is "public"; allowed are private, public-read,`},
		"storage class":      {func(c *s3.Config) { c.StorageClass = "cold\r\n" }, "storage_class: is"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := validConfig()
			test.change(&c)
			err := c.Validate()
			wantError(t, err, test.want)
			if s, err := s3.Open(c); test.want != "" {
				wantError(t, err, test.want)
			} else if err != nil {
				t.Errorf("Open: %v", err)
			} else {
				_ = s.Close()
			}
		})
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if (want == "") != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is %v, want %q", err, want)
	}
	if err != nil && (stillcast.CodeOf(err) != stillcast.CodeInvalid || strings.Contains(err.Error(), "hidden")) {
		t.Errorf("the error %v tells a secret or is not invalid", err)
	}
}

func TestCAFile(t *testing.T) {
	c := validConfig()
	c.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	_, err := s3.Open(c)
	wantError(t, err, "ca_file: cannot be read: ")
	if err := os.WriteFile(c.CAFile, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = s3.Open(c)
	wantError(t, err, "ca_file: "+c.CAFile+" holds no certificate in PEM")
}
