package s3

import (
	"net/url"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// Addressing says where a URL names the bucket.
type Addressing string

// The ways of addressing.
const (
	AddressingAuto    Addressing = "auto"    // virtual at Amazon, Google and Alibaba, path elsewhere
	AddressingPath    Addressing = "path"    // http://HOST/BUCKET/KEY
	AddressingVirtual Addressing = "virtual" // http://BUCKET.HOST/KEY
)

// CredentialSource says where the credentials come from.
type CredentialSource string

// The sources of credentials.
const (
	CredentialsStatic      CredentialSource = "static"      // access_key, secret_key, session_token
	CredentialsEnvironment CredentialSource = "environment" // AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
	// CredentialsInstance asks who runs the program, again and again before they
	// expire: a web identity (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, as in
	// EKS), the container's role (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or
	// …_FULL_URI, as in ECS), or else the metadata service of the machine.
	CredentialsInstance CredentialSource = "instance"
)

// Ways of encryption at rest, as in the header x-amz-server-side-encryption.
const (
	EncryptionS3  = "AES256"  // with the store's keys (SSE-S3)
	EncryptionKMS = "aws:kms" // with a key of its key management (SSE-KMS)
)

// Config is the settings of an S3-compatible store.
type Config struct {
	// Endpoint is where the store is: http(s)://HOST[:PORT].
	Endpoint string `yaml:"endpoint"`
	// Region goes into signatures; stores without regions take any.
	Region string `yaml:"region"`
	// Bucket holds all pictures, whatever bucket their templates name. "" means
	// that each template names its own.
	Bucket string `yaml:"bucket"`
	// Addressing says where URLs name the bucket.
	Addressing Addressing `yaml:"addressing"`
	// Credentials says where the credentials come from.
	Credentials CredentialSource `yaml:"credentials"`
	// AccessKey, SecretKey and SessionToken are static credentials; the token goes
	// with temporary ones and is "" otherwise.
	AccessKey    string           `yaml:"access_key"`
	SecretKey    stillcast.Secret `yaml:"secret_key"`
	SessionToken stillcast.Secret `yaml:"session_token"`
	// CAFile holds certificates in PEM that are trusted beside the system's; ""
	// for none.
	CAFile string `yaml:"ca_file"`
	// Encryption is how pictures are encrypted at rest: EncryptionS3,
	// EncryptionKMS, or "" for what the bucket does by itself.
	Encryption string `yaml:"encryption"`
	// KMSKey is the id of the key of EncryptionKMS; "" for the bucket's.
	KMSKey string `yaml:"kms_key"`
	// ACL is a canned access control list for each picture, as in the header
	// x-amz-acl; "" for none.
	ACL string `yaml:"acl"`
	// StorageClass is as in the header x-amz-storage-class; "" for the bucket's.
	StorageClass string `yaml:"storage_class"`
	// ContentMD5 makes requests carry the header Content-MD5, which buckets with
	// Object Lock want. The SHA-256 of a picture goes with it always.
	ContentMD5 bool `yaml:"content_md5"`
	// Connections is how many requests are made at once and so how many
	// connections are kept; 0 means 16. It comes from storage.upload.concurrency.
	Connections int `yaml:"-"`
}

const defaultConnections = 16

// DefaultConfig returns the settings of a configuration that says nothing.
func DefaultConfig() Config {
	return Config{
		Region:      "us-east-1",
		Addressing:  AddressingAuto,
		Credentials: CredentialsStatic,
	}
}

// cannedACLs are those of objects (Amazon S3 user guide, "Access control list
// overview").
func cannedACLs() []string {
	return []string{
		"private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read",
		"bucket-owner-full-control",
	}
}

// Validate reports the first setting that is not allowed. It opens no file.
func (c Config) Validate() error {
	for _, check := range []func() error{c.validateEndpoint, c.validateBucket, c.validateCredentials, c.validateObjects} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) validateEndpoint() error {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "endpoint", "is %q; expected http(s)://HOST[:PORT]", c.Endpoint)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		// Without the value: it may hold a password.
		return stillcast.Errorf(stillcast.CodeInvalid, "endpoint", "is more than http(s)://HOST[:PORT]")
	}
	if c.Region == "" || !isWord(c.Region, isRegionByte) {
		return stillcast.Errorf(stillcast.CodeInvalid, "region",
			"is %q; expected letters, digits and '-', as in us-east-1, also where the store has no regions", c.Region)
	}
	switch c.Addressing {
	case AddressingAuto, AddressingPath:
	case AddressingVirtual:
		if isAddress(u.Hostname()) {
			return stillcast.Errorf(stillcast.CodeInvalid, "addressing",
				"is virtual, but the endpoint %s is an address; a bucket can stand before a name only", c.Endpoint)
		}
	default:
		return stillcast.Errorf(stillcast.CodeInvalid, "addressing", "is %q; allowed are auto, path and virtual", c.Addressing)
	}
	if c.CAFile != "" && u.Scheme != "https" {
		return stillcast.Errorf(stillcast.CodeInvalid, "ca_file", "is given, but the endpoint %s is not https", c.Endpoint)
	}
	return nil
}

func (c Config) validateBucket() error {
	if c.Bucket == "" {
		return nil
	}
	if err := validateBucket(c.Bucket); err != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, "bucket", "%v", err)
	}
	return nil
}

// validateBucket returns an error that wraps [objstore.ErrName] unless S3 allows
// the name.
func validateBucket(bucket string) error {
	if err := objstore.ValidateBucket(bucket); err != nil {
		return err
	}
	if err := s3utils.CheckValidBucketNameStrict(bucket); err != nil {
		return nameError(bucket, err)
	}
	return nil
}

func (c Config) validateCredentials() error {
	switch c.Credentials {
	case CredentialsStatic:
		if c.AccessKey == "" {
			return stillcast.Errorf(stillcast.CodeInvalid, "access_key", "is empty, which static credentials may not be")
		}
		if c.SecretKey == "" {
			return stillcast.Errorf(stillcast.CodeInvalid, "secret_key", "is empty, which static credentials may not be")
		}
	case CredentialsEnvironment, CredentialsInstance:
		if c.AccessKey != "" || c.SecretKey != "" || c.SessionToken != "" {
			return stillcast.Errorf(stillcast.CodeInvalid, "credentials",
				"is %s, but access_key, secret_key or session_token is given too; those are for static", c.Credentials)
		}
	default:
		return stillcast.Errorf(stillcast.CodeInvalid, "credentials", "is %q; allowed are static, environment and instance", c.Credentials)
	}
	return nil
}

func (c Config) validateObjects() error {
	switch c.Encryption {
	case "", EncryptionS3, EncryptionKMS:
	default:
		return stillcast.Errorf(stillcast.CodeInvalid, "encryption", "is %q; allowed are %s and %s, or nothing", c.Encryption, EncryptionS3, EncryptionKMS)
	}
	if c.KMSKey != "" && c.Encryption != EncryptionKMS {
		return stillcast.Errorf(stillcast.CodeInvalid, "kms_key", "is given, but encryption is %q; a key is for %s", c.Encryption, EncryptionKMS)
	}
	if !isWord(c.KMSKey, isPrintable) {
		return stillcast.Errorf(stillcast.CodeInvalid, "kms_key", "%q is no id of a key", c.KMSKey)
	}
	if c.ACL != "" && !slices.Contains(cannedACLs(), c.ACL) {
		return stillcast.Errorf(stillcast.CodeInvalid, "acl", "is %q; allowed are %s, or nothing", c.ACL, strings.Join(cannedACLs(), ", "))
	}
	if !isWord(c.StorageClass, isClassByte) {
		return stillcast.Errorf(stillcast.CodeInvalid, "storage_class",
			"is %q; expected capital letters, digits and '_', as in STANDARD_IA", c.StorageClass)
	}
	return nil
}
