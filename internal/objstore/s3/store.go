// Package s3 is the object store behind the API of Amazon S3: Amazon's own, or
// any other that speaks it (MinIO, Ceph, versitygw, Cloudflare R2, …).
//
// It makes one request for each call and never a second one by itself: who
// calls decides when to try again. The only exception is [Store.Head] of an
// object that is not there. The library behind it pauses for at most 0.2 s after
// a request that failed, within the context's deadline.
//
// Requests are signed by AWS Signature Version 4. A picture goes in one PUT
// whose signature covers the SHA-256 of its bytes, so that the store refuses
// what arrives damaged, over HTTP as over HTTPS.
package s3

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // Content-MD5 is a check sum of the protocol (RFC 1864)
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// Store keeps pictures in the buckets of an S3-compatible store. It implements
// the contract of package objstore. It has one region, and so ignores that of
// objects; buckets are made by the operator, never by the store.
//
// The credentials need s3:PutObject, s3:GetObject and s3:DeleteObject for the
// objects, and s3:ListBucket for the bucket: without the last, stores do not
// tell that an object is not there, and Head answers [objstore.ErrDenied].
type Store struct {
	config     Config
	endpoint   url.URL
	client     *minio.Core
	encryption encrypt.ServerSide // nil for none
	idle       []*http.Transport  // what Close closes
}

// Open makes a store. It reads the CA file and the environment, and connects to
// nothing; an error of the settings is a [stillcast.Error].
func Open(c Config) (*Store, error) {
	return open(c, nil)
}

// open has a way to connect; nil for the usual.
func open(c Config, dial dialer) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("parse the endpoint: %w", err)
	}
	transport, err := newTransport(c, dial)
	if err != nil {
		return nil, err
	}
	s := &Store{config: c, endpoint: *endpoint, idle: []*http.Transport{transport}}
	source, err := s.credentials()
	if err != nil {
		return nil, err
	}
	if s.encryption, err = newEncryption(c); err != nil {
		return nil, err
	}
	s.client, err = minio.NewCore(endpoint.Host, &minio.Options{
		Creds:              source,
		Secure:             endpoint.Scheme == "https",
		Transport:          transport,
		Region:             c.Region,
		BucketLookupViaURL: func(_ url.URL, bucket string) minio.BucketLookupType { return s.lookup(bucket) },
		MaxRetries:         1,
	})
	if err != nil {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "endpoint", "is %q: %v", c.Endpoint, err)
	}
	return s, nil
}

func newEncryption(c Config) (encrypt.ServerSide, error) {
	switch c.Encryption {
	case EncryptionS3:
		return encrypt.NewSSE(), nil
	case EncryptionKMS:
		sse, err := encrypt.NewSSEKMS(c.KMSKey, nil)
		if err != nil {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "kms_key", "%v", err)
		}
		return sse, nil
	}
	return nil, nil //nolint:nilnil // no encryption, by choice
}

// Close closes the connections that are kept. The store must not be used afterwards.
func (s *Store) Close() error {
	for _, t := range s.idle {
		t.CloseIdleConnections()
	}
	return nil
}

// Put keeps an object, in place of what was under its key.
func (s *Store) Put(ctx context.Context, o objstore.Object) error {
	if err := o.Validate(); err != nil {
		return fmt.Errorf("put a picture: %w", err)
	}
	bucket, err := s.bucket(o.Bucket, o.Key)
	if err != nil {
		return fmt.Errorf("put a picture: %w", err)
	}
	sum := sha256.Sum256(o.Body)
	_, err = s.client.PutObject(ctx, bucket, o.Key, bytes.NewReader(o.Body), int64(len(o.Body)),
		s.contentMD5(o.Body), hex.EncodeToString(sum[:]), s.options(o))
	if err := refusal(ctx, bucket, err); err != nil {
		if errors.Is(err, objstore.ErrNotFound) { // to put is not to look for
			err = fmt.Errorf("%w: %v", objstore.ErrUnavailable, err) //nolint:errorlint // its kind must not be seen
		}
		return fmt.Errorf("put %s: %w", s.where(bucket, o.Key), err)
	}
	return nil
}

func (s *Store) contentMD5(body []byte) string {
	if !s.config.ContentMD5 {
		return ""
	}
	sum := md5.Sum(body) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (s *Store) options(o objstore.Object) minio.PutObjectOptions {
	opts := minio.PutObjectOptions{
		ContentType:          o.ContentType,
		CacheControl:         o.CacheControl,
		StorageClass:         s.config.StorageClass,
		ServerSideEncryption: s.encryption,
		// The whole body is signed, not chunk by chunk: some stores know no other way.
		DisableContentSha256: true,
		UserMetadata:         make(map[string]string, len(o.Metadata)+1),
	}
	for key, value := range o.Metadata {
		// With the prefix: the library takes some bare names for other headers.
		opts.UserMetadata[metadataPrefix+key] = value
	}
	if s.config.ACL != "" {
		opts.UserMetadata["X-Amz-Acl"] = s.config.ACL
	}
	return opts
}

const metadataPrefix = "X-Amz-Meta-"

// Head describes an object. Unless it is there, a second request asks for its
// bucket: an answer to HEAD has no code, and what stands behind its status is
// different from store to store.
func (s *Store) Head(ctx context.Context, bucket, key string) (objstore.Info, error) {
	bucket, err := s.bucket(bucket, key)
	if err != nil {
		return objstore.Info{}, fmt.Errorf("describe a picture: %w", err)
	}
	answer, err := s.client.StatObject(ctx, bucket, key, minio.StatObjectOptions{})
	if err := refusal(ctx, bucket, err); err != nil {
		if errors.Is(err, objstore.ErrNotFound) {
			if bucketErr := s.find(ctx, bucket); bucketErr != nil {
				err = bucketErr // nobody can say that the object is not there
			}
		}
		return objstore.Info{}, fmt.Errorf("describe %s: %w", s.where(bucket, key), err)
	}
	return newInfo(answer), nil
}

// Get returns an object's body, which the caller closes, and its description.
func (s *Store) Get(ctx context.Context, bucket, key string) (io.ReadCloser, objstore.Info, error) {
	bucket, err := s.bucket(bucket, key)
	if err != nil {
		return nil, objstore.Info{}, fmt.Errorf("get a picture: %w", err)
	}
	body, answer, _, err := s.client.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err := refusal(ctx, bucket, err); err != nil {
		return nil, objstore.Info{}, fmt.Errorf("get %s: %w", s.where(bucket, key), err)
	}
	return objstore.Body(ctx, body), newInfo(answer), nil
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, bucket, key string) error {
	bucket, err := s.bucket(bucket, key)
	if err != nil {
		return fmt.Errorf("delete a picture: %w", err)
	}
	err = refusal(ctx, bucket, s.client.RemoveObject(ctx, bucket, key, minio.RemoveObjectOptions{}))
	if err != nil && !errors.Is(err, objstore.ErrNotFound) {
		return fmt.Errorf("delete %s: %w", s.where(bucket, key), err)
	}
	return nil
}

// Check asks for the configured bucket or, if there is none, for the list of
// buckets, which the credentials need not be allowed to see. It does not tell
// whether they may write.
func (s *Store) Check(ctx context.Context) error {
	if s.config.Bucket != "" {
		if err := s.find(ctx, s.config.Bucket); err != nil {
			return fmt.Errorf("ask %s for the bucket %s: %w", s.config.Endpoint, s.config.Bucket, err)
		}
		return nil
	}
	_, err := s.client.ListBuckets(ctx)
	if minio.ToErrorResponse(err).Code == minio.AccessDenied {
		return nil // the credentials are known, but not for that
	}
	if err := refusal(ctx, "", err); err != nil {
		return fmt.Errorf("ask %s for its buckets: %w", s.config.Endpoint, err)
	}
	return nil
}

// nothing is a prefix that no key of a picture has, as templates cannot give "~".
const nothing = ".~stillcast/"

// find returns nil if a bucket exists and its objects may be listed. It lists
// none: the request costs the same whatever the bucket holds.
func (s *Store) find(ctx context.Context, bucket string) error {
	listing, stop := context.WithCancel(ctx)
	defer stop()
	for object := range s.client.ListObjectsIter(listing, bucket, minio.ListObjectsOptions{
		Prefix: nothing, MaxKeys: 1, FetchOwner: new(false),
	}) {
		return refusal(ctx, bucket, object.Err)
	}
	return objstore.ContextError(ctx)
}

// bucket returns the bucket that holds an object, after checking both names.
func (s *Store) bucket(bucket, key string) (string, error) {
	if err := objstore.ValidateBucket(bucket); err != nil {
		return "", err
	}
	if err := objstore.ValidateKey(key); err != nil {
		return "", err
	}
	if s.config.Bucket != "" {
		return s.config.Bucket, nil
	}
	if bucket == "" {
		return "", fmt.Errorf("%w: neither the template nor the configuration (bucket) names a bucket", objstore.ErrName)
	}
	return bucket, validateBucket(bucket)
}

// where is the object for people, in messages.
func (s *Store) where(bucket, key string) string {
	return fmt.Sprintf("%q in the bucket %s of %s", key, bucket, s.endpoint.Host)
}

func newInfo(answer minio.ObjectInfo) objstore.Info {
	info := objstore.Info{
		Size:         answer.Size,
		ContentType:  answer.ContentType,
		CacheControl: answer.Metadata.Get("Cache-Control"),
		ETag:         `"` + answer.ETag + `"`,
		Modified:     answer.LastModified,
	}
	for key, value := range answer.UserMetadata {
		if info.Metadata == nil {
			info.Metadata = make(map[string]string, len(answer.UserMetadata))
		}
		info.Metadata[strings.ToLower(key)] = value
	}
	return info
}

// Presign returns a URL that lets anybody GET an object for lifetime.
func (s *Store) Presign(ctx context.Context, bucket, key string, lifetime time.Duration) (string, error) {
	bucket, err := s.bucket(bucket, key)
	if err != nil {
		return "", fmt.Errorf("sign a URL: %w", err)
	}
	if err := objstore.ValidateLifetime(lifetime); err != nil {
		return "", err
	}
	signed, err := s.client.PresignedGetObject(ctx, bucket, key, lifetime, nil)
	if err != nil {
		return "", fmt.Errorf("sign a URL of %s: %w", s.where(bucket, key), refusal(ctx, bucket, err))
	}
	return signed.String(), nil
}
