package s3

import (
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// amazon is Amazon's endpoint of no region; buckets answer at those with one.
const amazon = "s3.amazonaws.com"

// lookup tells where URLs name a bucket.
func (s *Store) lookup(bucket string) minio.BucketLookupType {
	virtual := s.config.Addressing == AddressingVirtual ||
		s.config.Addressing == AddressingAuto && s3utils.IsVirtualHostSupported(s.endpoint, bucket)
	if virtual && bucket != "" {
		return minio.BucketLookupDNS
	}
	return minio.BucketLookupPath
}

// PublicURL returns where who may read the bucket without credentials finds an
// object: ENDPOINT/BUCKET/KEY, or with the bucket before the endpoint's host
// where it is addressed so. The store has one region: another is ignored.
func (s *Store) PublicURL(bucket, _, key string) (string, error) {
	bucket, err := s.bucket(bucket, key)
	if err != nil {
		return "", err
	}
	host := s.endpoint.Host
	if host == amazon {
		host = "s3." + s.config.Region + ".amazonaws.com"
	}
	path := s3utils.EncodePath(key)
	if s.lookup(bucket) == minio.BucketLookupDNS {
		return s.endpoint.Scheme + "://" + bucket + "." + host + "/" + path, nil
	}
	return s.endpoint.Scheme + "://" + host + "/" + bucket + "/" + path, nil
}
