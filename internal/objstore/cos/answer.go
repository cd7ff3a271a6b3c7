package cos

import (
	"context"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	sdk "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/stillcast/stillcast/internal/objstore"
)

const (
	metadataPrefix = "x-cos-meta-"
	checksumHeader = "x-cos-hash-crc64ecma" // decimal (Tencent Cloud COS, "Data Verification")
	maxMessage     = 300                    // bytes of COS's own words in an error
)

// refusal is an answer of COS that says no.
type refusal struct {
	kind    error // of package objstore
	status  int
	code    string // COS's name of the fault, "" where it has none
	message string // without credentials
	request string // COS's id of the request, which its support asks for
}

// Error implements error.
func (r *refusal) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: COS answered %d", r.kind, r.status)
	if r.code != "" {
		text.WriteString(" " + r.code)
	}
	if r.message != "" {
		fmt.Fprintf(&text, ", %q", r.message)
	}
	if r.request != "" {
		text.WriteString(", request " + r.request)
	}
	return text.String()
}

// Unwrap gives the kind.
func (r *refusal) Unwrap() error { return r.kind }

// codeOf returns COS's name of the fault, "" where there is none.
func codeOf(err error) string {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.code
	}
	return ""
}

// failure returns an error of the SDK as one of package objstore.
func (s *shared) failure(ctx context.Context, err error) error {
	// The SDK gathers the tries, of which there is one, in a type without Unwrap.
	if tries, ok := errors.AsType[*sdk.RetryError](err); ok && len(tries.Errs) > 0 {
		err = tries.Errs[len(tries.Errs)-1]
	}
	if answer, ok := errors.AsType[*sdk.ErrorResponse](err); ok {
		return s.refused(answer)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the URL repeats what the caller says
	}
	return objstore.NoAnswer(ctx, err)
}

func (s *shared) refused(answer *sdk.ErrorResponse) *refusal {
	r := &refusal{
		kind:   objstore.KindOf(answer.Response.StatusCode, answer.Code),
		status: answer.Response.StatusCode,
		code:   s.clean(answer.Code), message: s.clean(answer.Message), request: s.clean(answer.RequestID),
	}
	if r.request == "" {
		r.request = s.clean(answer.Response.Header.Get("x-cos-request-id"))
	}
	if status := r.status; status >= 300 && status < 400 && r.message == "" {
		r.message = "a redirect, which is not followed: is the region right?"
	}
	return r
}

// clean makes words of the server fit for an error: short, and without
// credentials that it may repeat.
func (s *shared) clean(text string) string {
	for _, secret := range []string{s.secrets.Key.Reveal(), s.secrets.Token.Reveal(), s.secrets.ID} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "<secret>")
		}
	}
	if len(text) > maxMessage {
		text = text[:maxMessage]
	}
	return strings.ToValidUTF8(text, "?")
}

func describe(resp *http.Response) (objstore.Info, error) {
	h := resp.Header
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	if err != nil || resp.ContentLength < 0 {
		return objstore.Info{}, fmt.Errorf("%w: the answer has the size %d and the time %q",
			objstore.ErrUnavailable, resp.ContentLength, h.Get("Last-Modified"))
	}
	return objstore.Info{
		Size:         resp.ContentLength,
		ContentType:  h.Get("Content-Type"),
		CacheControl: h.Get("Cache-Control"),
		ETag:         h.Get("ETag"),
		Modified:     modified,
		Metadata:     metadataOf(h),
	}, nil
}

func metadataOf(h http.Header) map[string]string {
	var metadata map[string]string
	for name := range h {
		if key, ok := strings.CutPrefix(strings.ToLower(name), metadataPrefix); ok {
			if metadata == nil {
				metadata = make(map[string]string)
			}
			metadata[key] = h.Get(name)
		}
	}
	return metadata
}

// checkStored compares what COS says that it stored with what was sent. An
// answer without checksum is none of COS's.
func checkStored(h http.Header, body []byte) error {
	sent := crc64.Checksum(body, crc64.MakeTable(crc64.ECMA))
	if stored, err := strconv.ParseUint(h.Get(checksumHeader), 10, 64); err != nil || stored != sent {
		return fmt.Errorf("%w: the CRC-64 of what it stored is %.40q, that of the picture %d", objstore.ErrUnavailable, h.Get(checksumHeader), sent)
	}
	return nil
}

// checked returns a body that ends with an error when it has not the checksum
// that its headers tell. Objects from before COS had any tell none.
func checked(h http.Header, body io.ReadCloser) io.ReadCloser {
	want, err := strconv.ParseUint(h.Get(checksumHeader), 10, 64)
	if err != nil {
		return body
	}
	return &checkedBody{body: body, want: want}
}

type checkedBody struct {
	body      io.ReadCloser
	sum, want uint64
}

// Read implements [io.Reader].
func (b *checkedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.sum = crc64.Update(b.sum, crc64.MakeTable(crc64.ECMA), p[:n])
	if errors.Is(err, io.EOF) && b.sum != b.want {
		err = fmt.Errorf("the CRC-64 of what came is %d, not %d", b.sum, b.want)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *checkedBody) Close() error { return b.body.Close() }
