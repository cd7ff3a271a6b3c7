package cos

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/stillcast/stillcast"
)

// What is replaced in the templates of URLs.
const (
	bucketMark = "{bucket}"
	regionMark = "{region}"
)

const (
	defaultHost    = "{bucket}.cos.{region}.myqcloud.com"
	accelerateHost = "{bucket}.cos.accelerate.myqcloud.com"
	internalHost   = "{bucket}.cos-internal.{region}.tencentcos.cn"
)

// maxLabel is the longest part of a host name in bytes (RFC 1035, section
// 2.3.4), which a bucket and a region are.
const maxLabel = 63

func (c Config) isTemplate() bool { return strings.Contains(c.Endpoint, "://") }

// endpointTemplate is where requests go.
func (c Config) endpointTemplate() string {
	switch {
	case c.isTemplate():
		return c.Endpoint
	case c.Endpoint == EndpointAccelerate:
		return c.Scheme + "://" + accelerateHost
	case c.Endpoint == EndpointInternal:
		return c.Scheme + "://" + internalHost
	}
	return c.Scheme + "://" + defaultHost
}

// publicTemplate is the form of pic_full_url: with Tencent Cloud it begins with
// http:// and holds the bucket's own host, whatever way the picture came there.
func (c Config) publicTemplate() string {
	switch {
	case c.PublicURL != "":
		return c.PublicURL
	case c.isTemplate():
		return c.Endpoint
	}
	return "http://" + defaultHost
}

// presignTemplate is where presigned URLs lead: the same host as public ones,
// since an internal endpoint is out of the receivers' reach, but encrypted, since
// they hold a credential.
func (c Config) presignTemplate() string {
	if c.PublicURL == "" && !c.isTemplate() {
		return c.Scheme + "://" + defaultHost
	}
	return c.publicTemplate()
}

func checkTemplate(field, template string) error {
	plain := fill(template, "bucket-1", "region")
	u, err := url.Parse(plain)
	if err != nil || strings.ContainsAny(plain, "{}") || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return stillcast.Errorf(stillcast.CodeInvalid, field,
			"%q is no base of URLs; expected http(s)://HOST[:PORT], in which {bucket} and {region} may stand", template)
	}
	return nil
}

// fill returns the URL that a template stands for, without slash at the end.
func fill(template, bucket, region string) string {
	return strings.TrimRight(strings.NewReplacer(bucketMark, bucket, regionMark, region).Replace(template), "/")
}

// checkBucket returns nil for NAME-APPID (Tencent Cloud COS, "Bucket Overview",
// "Naming Conventions"). What passes cannot lead a request to a foreign host.
func checkBucket(bucket string) error {
	name, appID, ok := cutLast(bucket, "-")
	if !ok || name == "" || appID == "" || strings.Trim(appID, "0123456789") != "" || !isLabel(bucket) {
		return fmt.Errorf("%q is no bucket of COS; expected NAME-APPID of lower-case letters, digits and '-', at most %d bytes, such as shots-1250000000",
			bucket, maxLabel)
	}
	return nil
}

func checkRegion(region string) error {
	if !isLabel(region) {
		return fmt.Errorf("%q is no region of COS; expected lower-case letters, digits and '-', such as ap-guangzhou", region)
	}
	return nil
}

func isLabel(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return s != "" && len(s) <= maxLabel && s[0] != '-' && s[len(s)-1] != '-'
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}
