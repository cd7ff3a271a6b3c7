package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/stillcast/stillcast/internal/objstore"
)

// maxMessage bounds what of a store's own words goes into an error, in bytes.
const maxMessage = 300

// refusal wraps err, of a request to the store, in an error of package objstore.
// What kind it is says [objstore.KindOf]. nil stays nil.
func refusal(ctx context.Context, bucket string, err error) error {
	if err == nil {
		return nil
	}
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok {
		return objstore.NoAnswer(ctx, err)
	}
	if answer.Code == minio.NoSuchBucket {
		return noBucket(bucket)
	}
	message := short(answer.Error())
	err = fmt.Errorf("%w: answered %d %s: %s", objstore.KindOf(answer.StatusCode, answer.Code), answer.StatusCode, short(answer.Code), message)
	if answer.RequestID != "" {
		err = fmt.Errorf("%w (request %.100s)", err, answer.RequestID)
	}
	return err
}

func short(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "…"
	}
	return strings.ToValidUTF8(s, "")
}

// noBucket is no [objstore.ErrNotFound]: the operator may make the bucket yet.
func noBucket(bucket string) error {
	return fmt.Errorf("%w: the bucket %s does not exist", objstore.ErrUnavailable, bucket)
}

func nameError(bucket string, err error) error {
	return fmt.Errorf("%w: the bucket's name %q: %w", objstore.ErrName, bucket, err)
}
