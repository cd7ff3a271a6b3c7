// Package cos is the object store that keeps pictures in buckets of Tencent
// Cloud COS, through its official SDK.
//
// Of the SDK's own ways of coping with trouble none is used: it makes one try
// per call, follows no redirect, and goes to no other host than that of the
// endpoint. What COS says that it stored is compared with what was sent, by its
// CRC-64; so is what comes back.
//
// costest is a double of COS, which checks signatures on its own.
package cos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	sdk "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/stillcast/stillcast/internal/objstore"
)

// Store keeps pictures in COS. It implements the contract of package objstore.
// A bucket is NAME-APPID and lies in one region, which COS must be told: that of
// the object put, or else the store's own, see [Store.In].
type Store struct {
	*shared
	region string
}

// shared is what a store has in common with its views of other regions.
type shared struct {
	config    Config
	secrets   secrets
	transport *http.Transport
	clients   clients
}

// Open returns the store that the settings describe; the error is a
// [github.com/stillcast/stillcast.Error]. Nothing is asked of COS, see
// [Store.Check]. The caller closes the store after its last use.
func Open(c Config) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	credentials, err := c.secrets()
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(c)
	if err != nil {
		return nil, err
	}
	s := &shared{config: c, secrets: credentials, transport: transport, clients: newClients(transport, credentials)}
	return &Store{shared: s, region: c.Region}, nil
}

// In returns the same store with another region for buckets of which none is
// told; "" is the configured one. Closing it closes the store.
func (s *Store) In(region string) *Store {
	if region == "" {
		region = s.config.Region
	}
	return &Store{shared: s.shared, region: region}
}

// Close ends the idle connections. The store must not be used afterwards.
func (s *Store) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// Check asks whether the configured bucket exists and the credentials are good
// for it (HEAD Bucket, which the policy of a sub-account may have to allow).
func (s *Store) Check(ctx context.Context) error {
	t, err := s.target("", s.config.Region, "")
	if err != nil {
		return fmt.Errorf("check the bucket: %w", err)
	}
	if _, err := t.client.Bucket.Head(ctx); err != nil {
		err = s.failure(ctx, err)
		if errors.Is(err, objstore.ErrNotFound) {
			err = t.missing()
		}
		return fmt.Errorf("check the bucket %s: %w", t, err)
	}
	return nil
}

// Put stores an object.
func (s *Store) Put(ctx context.Context, o objstore.Object) error {
	if err := objstore.ValidateMetadata(o.Metadata); err != nil {
		return fmt.Errorf("put a picture: %w", err)
	}
	t, err := s.object(o.Bucket, o.Region, o.Key)
	if err != nil {
		return fmt.Errorf("put a picture: %w", err)
	}
	if err := s.put(ctx, t, o); err != nil {
		return fmt.Errorf("put %s: %w", t, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, t target, o objstore.Object) error {
	if err := objstore.ContextError(ctx); err != nil {
		return err
	}
	resp, err := t.client.Object.Put(ctx, t.key, bytes.NewReader(o.Body), s.config.putOptions(o))
	if err != nil {
		err = s.failure(ctx, err)
		if errors.Is(err, objstore.ErrNotFound) { // 404 without a code: there is nothing else that it can mean
			return t.missing()
		}
		return err
	}
	return checkStored(resp.Header, o.Body)
}

func (c Config) putOptions(o objstore.Object) *sdk.ObjectPutOptions {
	more := http.Header{}
	if c.KMSKeyID != "" {
		more.Set("x-cos-server-side-encryption-cos-kms-key-id", c.KMSKeyID)
	}
	metadata := http.Header{}
	for key, value := range o.Metadata {
		metadata.Set(metadataPrefix+key, value)
	}
	return &sdk.ObjectPutOptions{
		ACLHeaderOptions: &sdk.ACLHeaderOptions{XCosACL: c.ACL},
		ObjectPutHeaderOptions: &sdk.ObjectPutHeaderOptions{
			CacheControl: o.CacheControl, ContentType: o.ContentType, XCosMetaXXX: &metadata,
			XCosStorageClass: c.StorageClass, XCosServerSideEncryption: c.ServerSideEncryption, XOptionHeader: &more,
		},
	}
}

// Head describes an object.
func (s *Store) Head(ctx context.Context, bucket, key string) (objstore.Info, error) {
	t, err := s.object(bucket, "", key)
	if err != nil {
		return objstore.Info{}, fmt.Errorf("get a picture: %w", err)
	}
	info, err := s.head(ctx, t)
	if err != nil {
		return objstore.Info{}, fmt.Errorf("get %s: %w", t, err)
	}
	return info, nil
}

func (s *Store) head(ctx context.Context, t target) (objstore.Info, error) {
	if err := objstore.ContextError(ctx); err != nil {
		return objstore.Info{}, err
	}
	resp, err := t.client.Object.Head(ctx, t.key, nil)
	if err != nil {
		return objstore.Info{}, s.absent(ctx, t, s.failure(ctx, err))
	}
	return describe(resp.Response)
}

// Get returns an object's body, which the caller closes, and its description. A
// body that is not what COS holds ends with an error instead of [io.EOF].
func (s *Store) Get(ctx context.Context, bucket, key string) (io.ReadCloser, objstore.Info, error) {
	t, err := s.object(bucket, "", key)
	if err != nil {
		return nil, objstore.Info{}, fmt.Errorf("get a picture: %w", err)
	}
	body, info, err := s.get(ctx, t)
	if err != nil {
		return nil, objstore.Info{}, fmt.Errorf("get %s: %w", t, err)
	}
	return body, info, nil
}

func (s *Store) get(ctx context.Context, t target) (io.ReadCloser, objstore.Info, error) {
	if err := objstore.ContextError(ctx); err != nil {
		return nil, objstore.Info{}, err
	}
	resp, err := t.client.Object.Get(ctx, t.key, nil)
	if err != nil {
		return nil, objstore.Info{}, s.absent(ctx, t, s.failure(ctx, err))
	}
	info, err := describe(resp.Response)
	if err != nil {
		return nil, objstore.Info{}, errors.Join(err, resp.Body.Close())
	}
	return objstore.Body(ctx, checked(resp.Header, resp.Body)), info, nil
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, bucket, key string) error {
	t, err := s.object(bucket, "", key)
	if err != nil {
		return fmt.Errorf("delete a picture: %w", err)
	}
	if err := objstore.ContextError(ctx); err != nil {
		return fmt.Errorf("delete %s: %w", t, err)
	}
	_, err = t.client.Object.Delete(ctx, t.key)
	if err == nil {
		return nil
	}
	err = s.absent(ctx, t, s.failure(ctx, err))
	if errors.Is(err, objstore.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("delete %s: %w", t, err)
}

// absent tells an object that is not there from a bucket that is not, which an
// answer to HEAD does not say: it has no body.
func (s *Store) absent(ctx context.Context, t target, err error) error {
	if !errors.Is(err, objstore.ErrNotFound) || codeOf(err) != "" {
		return err
	}
	_, bucketErr := t.client.Bucket.Head(ctx)
	if bucketErr == nil {
		return err
	}
	bucketErr = s.failure(ctx, bucketErr)
	switch {
	case errors.Is(bucketErr, objstore.ErrNotFound):
		return t.missing()
	case errors.Is(bucketErr, objstore.ErrDenied): // who may not look at a bucket is told so only where it exists
		return err
	}
	return bucketErr
}

// target is a bucket, and an object in it, with the client that reaches it.
type target struct {
	bucket, region, key string
	client              *sdk.Client
}

// String is the target for people, in messages.
func (t target) String() string { return strings.TrimRight("cos://"+t.bucket+"/"+t.key, "/") }

func (t target) missing() error {
	return fmt.Errorf("%w: there is no bucket %s in the region %q", objstore.ErrUnavailable, t.bucket, t.region)
}

// object is [Store.target] after a check of the key.
func (s *Store) object(bucket, region, key string) (target, error) {
	if err := objstore.ValidateKey(key); err != nil {
		return target{}, err
	}
	return s.target(bucket, region, key)
}

func (s *Store) target(bucket, region, key string) (target, error) {
	template := s.config.endpointTemplate()
	t, base, err := s.locate(template, bucket, region, key)
	if err != nil {
		return target{}, err
	}
	t.client, err = s.clients.at(base)
	return t, err
}

// locate returns where a template leads for an object: its target without a
// client, and the base of its URL.
func (s *Store) locate(template, bucket, region, key string) (target, string, error) {
	if bucket == "" {
		bucket = s.config.Bucket
	}
	if region == "" {
		region = s.region
	}
	if err := checkBucket(bucket); err != nil {
		return target{}, "", fmt.Errorf("%w: %w", objstore.ErrName, err)
	}
	if strings.Contains(template, regionMark) {
		if err := checkRegion(region); err != nil {
			return target{}, "", fmt.Errorf("%w: %w", objstore.ErrName, err)
		}
	}
	if bucket != s.config.Bucket && !strings.Contains(template, bucketMark) {
		return target{}, "", fmt.Errorf("%w: %s serves the bucket %s alone, not %s", objstore.ErrName, template, s.config.Bucket, bucket)
	}
	return target{bucket: bucket, region: region, key: key}, fill(template, bucket, region), nil
}
