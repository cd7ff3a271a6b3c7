package cos

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	sdk "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/stillcast/stillcast/internal/objstore"
)

// PublicURL returns a picture's URL in the form in which Tencent Cloud tells it,
// http://BUCKET.cos.REGION.myqcloud.com/KEY, or in that of [Config.PublicURL].
func (s *Store) PublicURL(bucket, region, key string) (string, error) {
	if err := objstore.ValidateKey(key); err != nil {
		return "", fmt.Errorf("make the URL of a picture: %w", err)
	}
	_, base, err := s.locate(s.config.publicTemplate(), bucket, region, key)
	if err != nil {
		return "", fmt.Errorf("make the URL of a picture: %w", err)
	}
	return base + "/" + escape(key), nil
}

// escape leaves what no reader of URLs could take for something else. That is
// less than RFC 3986 lets stand in a path: some read "+" as a space.
func escape(key string) string {
	return strings.ReplaceAll(sdk.EncodeURIComponent(key), "%2F", "/")
}

// Presign returns a URL that carries a signature for GET. It leads to the public
// host also when the store talks to another endpoint.
func (s *Store) Presign(ctx context.Context, bucket, key string, lifetime time.Duration) (string, error) {
	if err := objstore.ValidateLifetime(lifetime); err != nil {
		return "", err
	}
	if err := objstore.ValidateKey(key); err != nil {
		return "", fmt.Errorf("presign a picture: %w", err)
	}
	t, base, err := s.locate(s.config.presignTemplate(), bucket, "", key)
	if err != nil {
		return "", fmt.Errorf("presign a picture: %w", err)
	}
	if err := objstore.ContextError(ctx); err != nil {
		return "", fmt.Errorf("presign %s: %w", t, err)
	}
	client, err := s.clients.at(base)
	if err != nil {
		return "", fmt.Errorf("presign %s: %w", t, err)
	}
	u, err := client.Object.GetPresignedURL3(ctx, http.MethodGet, key, lifetime, nil)
	if err != nil {
		return "", fmt.Errorf("presign %s: %w", t, s.failure(ctx, err))
	}
	return u.String(), nil
}
