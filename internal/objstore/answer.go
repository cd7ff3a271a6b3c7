package objstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// KindOf tells which of the errors of this package a refusal over HTTP stands
// for, by its status and the code of error in it; code is "" where there is
// none, as in every answer to HEAD. What is not known is [ErrUnavailable], since
// that is tried again. S3 and COS share the codes (Amazon S3 API reference,
// "Error responses"; Tencent Cloud COS, "Error codes").
func KindOf(status int, code string) error {
	switch code {
	case "NoSuchKey", "NoSuchVersion":
		return ErrNotFound
	case "NoSuchBucket", "QuotaExceeded", "XMinioStorageFull", "RequestTimeout":
		// Under statuses that say something else: 404, 403, 507, 400.
		return ErrUnavailable
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity",
		"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "RequestTimeTooSkewed", "RequestExpired", "AuthorizationHeaderMalformed",
		"XAdminUserNotFound": // versitygw's, under status 404
		return ErrDenied
	case "SlowDown", "SlowDownRead", "SlowDownWrite", "TooManyRequests", "RequestLimitExceeded", "BandwidthLimitExceeded",
		"Throttling", "ThrottlingException", "RequestThrottled":
		return ErrThrottled
	case "InvalidBucketName", "InvalidObjectName", "InvalidURI", "KeyTooLong", "KeyTooLongError", "MetadataTooLarge",
		"EntityTooLarge", "EntityTooSmall",
		// Gateways to file systems: a key below another one.
		"ObjectParentIsFile", "ExistingObjectIsDirectory", "XMinioObjectExistsAsDirectory", "XMinioParentIsObject":
		return ErrName
	}
	switch status {
	case http.StatusNotFound:
		if code == "" {
			return ErrNotFound
		}
		return ErrUnavailable // something else is not found
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrDenied
	case http.StatusTooManyRequests:
		return ErrThrottled
	}
	return ErrUnavailable
}

// NoAnswer wraps err, of a request to a store that was not answered: it is the
// context's own error where that is done, or else [ErrUnavailable].
func NoAnswer(ctx context.Context, err error) error {
	if done := ContextError(ctx); done != nil {
		return fmt.Errorf("%w: %w", done, err)
	}
	// A deadline of the connection's own is not the caller's.
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// ContextError returns nil, or why the context is done: its error, with the
// cause where that says more.
func ContextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil || errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// Body is the body of an object as it comes from a store across a network: its
// errors are those of [NoAnswer].
func Body(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	return &remoteBody{ctx: ctx, body: body}
}

type remoteBody struct {
	ctx  context.Context // that of the request, whose answer this is
	body io.ReadCloser
}

// Read implements [io.Reader].
func (b *remoteBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("read the body: %w", NoAnswer(b.ctx, err))
	}
	return n, err
}

// Close implements [io.Closer].
func (b *remoteBody) Close() error { return b.body.Close() }
