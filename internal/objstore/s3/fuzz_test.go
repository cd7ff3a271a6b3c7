package s3_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/s3"
)

// FuzzAnswer has a server answer whatever it likes: every answer is an object
// that describes itself well, or an error of a known kind.
func FuzzAnswer(f *testing.F) {
	const headers = "Etag: \"abc\"\r\nLast-Modified: Thu, 26 Nov 2026 10:00:00 GMT\r\nContent-Length: 7\r\nX-Amz-Meta-Event-Id: 1"
	f.Add(404, "NoSuchKey", headers)
	f.Add(503, "SlowDown", headers+"\r\nX-Amz-Tagging: a=b&c\r\nX-Amz-Restore: ongoing\r\nExpires: never")
	f.Add(0, "", "Content-Length: -1\r\nX-Amz-Meta-: x\r\nX-Amz-Expiration: expiry-date=1")
	f.Fuzz(func(t *testing.T, status int, text, header string) {
		for _, answer := range []minio.ErrorResponse{
			{StatusCode: status, Code: text}, {StatusCode: status, Message: text}, {StatusCode: status, RequestID: text, Code: "Other"},
		} {
			err := s3.Refusal(t.Context(), "shots", answer)
			if !isKnown(err) || len(err.Error()) > 1000 {
				t.Errorf("%+v is the error %v", answer, err)
			}
		}
		h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(header + "\r\n\r\n"))).ReadMIMEHeader()
		if err != nil {
			return
		}
		answer, err := minio.ToObjectInfo("shots", "a.jpg", http.Header(h))
		if err != nil {
			if err := s3.Refusal(t.Context(), "shots", err); !isKnown(err) {
				t.Errorf("the error %v is of no kind", err)
			}
			return
		}
		info := s3.NewInfo(answer)
		if len(info.ETag) < 2 || info.ETag[0] != '"' || info.ETag[len(info.ETag)-1] != '"' {
			t.Errorf("the ETag is %s, not quoted", info.ETag)
		}
		for key := range info.Metadata {
			if key != strings.ToLower(key) {
				t.Errorf("the metadata has the key %q", key)
			}
		}
	})
}

// TestOddAnswers are those that no honest server gives.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	const headers = "Etag: \"abc\"\r\nLast-Modified: Thu, 26 Nov 2026 10:00:00 GMT\r\n"
	tests := map[string]struct {
		answer string
		want   error // of Get
	}{
		"nothing":            {"", objstore.ErrUnavailable},
		"no HTTP":            {"SSH-2.0-OpenSSH_9.2\r\n", objstore.ErrUnavailable},
		"negative length":    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", objstore.ErrUnavailable},
		"longer than it is":  {"HTTP/1.1 200 OK\r\n" + headers + "Content-Length: 10\r\n\r\nshort", objstore.ErrUnavailable},
		"broken chunks":      {"HTTP/1.1 200 OK\r\n" + headers + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", objstore.ErrUnavailable},
		"no time":            {"HTTP/1.1 200 OK\r\nEtag: \"abc\"\r\n\r\n", objstore.ErrUnavailable},
		"a web page":         {"HTTP/1.1 404 Not Found\r\n\r\n<html>not found</html>", objstore.ErrNotFound},
		"half an error":      {"HTTP/1.1 400 Bad\r\n\r\n<Error><Code>AuthorizationHeaderMalformed</Code>", objstore.ErrUnavailable},
		"a way to elsewhere": {"HTTP/1.1 307 Temporary\r\nLocation: http://127.0.0.1:1/\r\n\r\n", objstore.ErrUnavailable},
		"endless headers":    {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20), objstore.ErrUnavailable},
		"no such status":     {"HTTP/1.1 999 What\r\n\r\n", objstore.ErrUnavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := validConfig()
			c.Endpoint = "http://s3.example.com"
			s, err := s3.OpenDial(c, func(context.Context, string, string) (net.Conn, error) { return answering(test.answer), nil })
			opened(t, s, err)
			r, _, err := s.Get(t.Context(), "", "a.jpg")
			if err == nil {
				_, err = io.Copy(io.Discard, r)
				_ = r.Close()
			}
			if !errors.Is(err, test.want) {
				t.Errorf("Get gave the error %v, want %v", err, test.want)
			}
			_, err = s.Head(t.Context(), "", "a.jpg")
			// None of them is taken for the word that an object is not there.
			if err != nil && (!isKnown(err) || errors.Is(err, objstore.ErrNotFound)) {
				t.Errorf("Head gave the error %v", err)
			}
			if err := s.Put(t.Context(), picture("a.jpg", []byte("a"))); err != nil && (!isKnown(err) || errors.Is(err, objstore.ErrNotFound)) {
				t.Errorf("Put gave the error %v", err)
			}
		})
	}
}

func isKnown(err error) bool {
	for _, kind := range []error{
		objstore.ErrNotFound, objstore.ErrDenied, objstore.ErrThrottled, objstore.ErrUnavailable, objstore.ErrName,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// answering is a connection to a server that reads one request and has one answer.
func answering(answer string) net.Conn {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		r, err := http.ReadRequest(bufio.NewReader(server))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(server, answer)
	}()
	return client
}
