package cos

import (
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/stillcast/stillcast"
)

// Where credentials come from.
const (
	CredentialsStatic      = "static"      // Config.SecretID, SecretKey and SessionToken
	CredentialsEnvironment = "environment" // TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and a token
)

// Names of the endpoints of the public cloud (Tencent Cloud COS, "Regions and
// Access Endpoints", "Global Acceleration").
const (
	EndpointDefault    = "default"    // BUCKET.cos.REGION.myqcloud.com
	EndpointAccelerate = "accelerate" // BUCKET.cos.accelerate.myqcloud.com
	EndpointInternal   = "internal"   // BUCKET.cos-internal.REGION.tencentcos.cn, from inside Tencent Cloud
)

// Config is the settings of the COS backend.
type Config struct {
	// Bucket is the bucket of shots that name none, as NAME-APPID.
	Bucket string `yaml:"bucket"`
	// Region is that of Bucket, and of the buckets of shots that name no region.
	Region string `yaml:"region"`
	// Endpoint is what is talked to: EndpointDefault, EndpointAccelerate,
	// EndpointInternal, or a URL in which "{bucket}" and "{region}" are replaced,
	// for private clouds. A URL without "{bucket}" serves Bucket alone.
	Endpoint string `yaml:"endpoint"`
	// Scheme is "https" or "http", for endpoints that are no URL.
	Scheme string `yaml:"scheme"`
	// PublicURL is the base of the URLs that receivers get, with "{bucket}" and
	// "{region}". "" is Endpoint where that is a URL, or else the form in which
	// Tencent Cloud tells them, http://{bucket}.cos.{region}.myqcloud.com.
	PublicURL string `yaml:"public_url"`
	// Proxy is the URL of an HTTP proxy; "" leaves that to HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
	Proxy string `yaml:"proxy"`
	// CAFile holds certificates in PEM that are trusted beside the system's; ""
	// for none.
	CAFile string `yaml:"ca_file"`

	// Credentials says where the credentials come from.
	Credentials  string           `yaml:"credentials"`
	SecretID     string           `yaml:"secret_id"`
	SecretKey    stillcast.Secret `yaml:"secret_key"`
	SessionToken stillcast.Secret `yaml:"session_token"` // of temporary credentials, "" for none

	// StorageClass is the x-cos-storage-class of pictures; "" leaves it to COS, which takes STANDARD.
	StorageClass string `yaml:"storage_class"`
	// ACL is the x-cos-acl of pictures; "" lets them inherit what the bucket allows.
	ACL string `yaml:"acl"`
	// ServerSideEncryption is the x-cos-server-side-encryption of pictures; "" leaves it to the bucket.
	ServerSideEncryption string `yaml:"server_side_encryption"`
	// KMSKeyID is the key that "cos/kms" encrypts with; "" is COS's own one.
	KMSKeyID string `yaml:"kms_key_id"`
}

// DefaultConfig returns the settings of a configuration that says nothing.
// Bucket, Region and credentials have no default.
func DefaultConfig() Config {
	return Config{Endpoint: EndpointDefault, Scheme: "https", Credentials: CredentialsStatic}
}

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if err := checkBucket(c.Bucket); err != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, "bucket", "%s", err)
	}
	if err := c.validateWhere(); err != nil {
		return err
	}
	if err := c.validateCredentials(); err != nil {
		return err
	}
	return c.validateHeaders()
}

func (c Config) validateWhere() error {
	if c.Scheme != "https" && c.Scheme != "http" {
		return stillcast.Errorf(stillcast.CodeInvalid, "scheme", "is %q; allowed are https and http", c.Scheme)
	}
	if c.isTemplate() {
		if err := checkTemplate("endpoint", c.Endpoint); err != nil {
			return err
		}
	} else if !slices.Contains([]string{EndpointDefault, EndpointAccelerate, EndpointInternal}, c.Endpoint) {
		return stillcast.Errorf(stillcast.CodeInvalid, "endpoint",
			"is %q; allowed are default, accelerate, internal, and a URL such as https://{bucket}.cos.{region}.example.com", c.Endpoint)
	}
	if c.PublicURL != "" {
		if err := checkTemplate("public_url", c.PublicURL); err != nil {
			return err
		}
	}
	for _, t := range []string{c.endpointTemplate(), c.publicTemplate(), c.presignTemplate()} {
		if strings.Contains(t, regionMark) {
			if err := checkRegion(c.Region); err != nil {
				return stillcast.Errorf(stillcast.CodeInvalid, "region", "%s", err)
			}
		}
	}
	if c.Proxy == "" {
		return nil
	}
	if u, err := url.Parse(c.Proxy); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		// Not the URL itself: it may hold a password.
		return stillcast.Errorf(stillcast.CodeInvalid, "proxy", "is no URL of a proxy; expected http(s)://HOST[:PORT]")
	}
	return nil
}

func (c Config) validateCredentials() error {
	static := map[string]string{"secret_id": c.SecretID, "secret_key": c.SecretKey.Reveal(), "session_token": c.SessionToken.Reveal()}
	switch c.Credentials {
	case CredentialsStatic:
		for _, field := range []string{"secret_id", "secret_key"} {
			if static[field] == "" {
				return stillcast.Errorf(stillcast.CodeInvalid, field, "is empty; credentials: static needs it")
			}
		}
	case CredentialsEnvironment:
		for _, field := range []string{"secret_id", "secret_key", "session_token"} {
			if static[field] != "" {
				return stillcast.Errorf(stillcast.CodeInvalid, field, "is set, yet credentials: environment takes it from the environment")
			}
		}
	default:
		return stillcast.Errorf(stillcast.CodeInvalid, "credentials", "is %q; allowed are static and environment", c.Credentials)
	}
	for _, field := range []string{"secret_id", "secret_key", "session_token"} {
		if !printable(static[field]) || strings.Contains(static[field], " ") {
			return stillcast.Errorf(stillcast.CodeInvalid, field, "holds a space or what is not printable ASCII")
		}
	}
	return nil
}

func (c Config) validateHeaders() error {
	for _, r := range c.StorageClass {
		if (r < 'A' || r > 'Z') && r != '_' {
			return stillcast.Errorf(stillcast.CodeInvalid, "storage_class", "is %q; the names of COS are such as STANDARD or STANDARD_IA", c.StorageClass)
		}
	}
	if strings.Contains(c.StorageClass, "ARCHIVE") {
		return stillcast.Errorf(stillcast.CodeInvalid, "storage_class",
			"is %q, whose pictures cannot be downloaded before they are restored", c.StorageClass)
	}
	acls := []string{"", "default", "private", "public-read", "authenticated-read", "bucket-owner-read", "bucket-owner-full-control"}
	if !slices.Contains(acls, c.ACL) {
		return stillcast.Errorf(stillcast.CodeInvalid, "acl", "is %q; allowed are %s", c.ACL, strings.Join(acls[1:], ", "))
	}
	if !slices.Contains([]string{"", "AES256", "cos/kms"}, c.ServerSideEncryption) {
		return stillcast.Errorf(stillcast.CodeInvalid, "server_side_encryption", "is %q; allowed are AES256 and cos/kms", c.ServerSideEncryption)
	}
	if c.KMSKeyID != "" && c.ServerSideEncryption != "cos/kms" {
		return stillcast.Errorf(stillcast.CodeInvalid, "kms_key_id", "is set; only server_side_encryption: cos/kms has a key")
	}
	if !printable(c.KMSKeyID) || strings.Contains(c.KMSKeyID, " ") {
		return stillcast.Errorf(stillcast.CodeInvalid, "kms_key_id", "is %q; a key id has neither spaces nor what is not printable ASCII", c.KMSKeyID)
	}
	return nil
}

// secrets are credentials. They are not printed: the fields that could be are
// [stillcast.Secret].
type secrets struct {
	ID         string
	Key, Token stillcast.Secret
}

// secrets returns the credentials that the settings name. The variables of the
// environment are those of the official tools and SDKs; the token's has two
// names, of the command line and of Terraform.
func (c Config) secrets() (secrets, error) {
	if c.Credentials == CredentialsStatic {
		return secrets{ID: c.SecretID, Key: c.SecretKey, Token: c.SessionToken}, nil
	}
	token := os.Getenv("TENCENTCLOUD_TOKEN")
	if token == "" {
		token = os.Getenv("TENCENTCLOUD_SECURITY_TOKEN")
	}
	c.Credentials, c.SecretID = CredentialsStatic, os.Getenv("TENCENTCLOUD_SECRET_ID")
	c.SecretKey, c.SessionToken = stillcast.Secret(os.Getenv("TENCENTCLOUD_SECRET_KEY")), stillcast.Secret(token)
	if err := c.validateCredentials(); err != nil {
		return secrets{}, stillcast.Errorf(stillcast.CodeInvalid, "credentials",
			"environment: TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY or TENCENTCLOUD_TOKEN does not do: %s", err)
	}
	return secrets{ID: c.SecretID, Key: c.SecretKey, Token: c.SessionToken}, nil
}

func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r > '~' {
			return false
		}
	}
	return true
}
