// Package client calls the ledger of a server.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ledger"
)

// maxReply is more than a page of deliveries, or all attempts of one, take.
const maxReply = 64 << 20

// Client calls the ledger of one server. It is safe for concurrent use.
type Client struct {
	Endpoint  string // http://HOST:PORT
	SecretID  string
	SecretKey stillcast.Secret
	HTTP      *http.Client // nil: http.DefaultClient
}

// Error is the answer of a server to what it refused.
type Error struct {
	Status int
	ledger.RefusalError

	RequestID string // under which the server's log has more
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Message
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Status >= http.StatusInternalServerError {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// Get reads what stands at a path behind [ledger.Path] into reply. A refusal is an [*Error].
func (c *Client) Get(ctx context.Context, path string, query url.Values, reply any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.call(ctx, http.MethodGet, path, nil, reply)
}

// Post changes something; params may be nil. What is answered is read into reply.
func (c *Client) Post(ctx context.Context, path string, params map[string]string, reply any) error {
	return c.call(ctx, http.MethodPost, path, params, reply)
}

// Delete ends something.
func (c *Client) Delete(ctx context.Context, path string, reply any) error {
	return c.call(ctx, http.MethodDelete, path, nil, reply)
}

func (c *Client) call(ctx context.Context, method, path string, params map[string]string, reply any) error {
	req, err := c.request(ctx, method, path, params)
	if err != nil {
		return err
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the query
		}
		return fmt.Errorf("no answer from %s: %w; does the server run, and is this the address of its listen.http?", c.Endpoint, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxReply))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.Endpoint, err)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return c.refusal(answer, body)
	}
	if err := json.Unmarshal(body, reply); err != nil {
		return c.strange(answer)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, params map[string]string) (*http.Request, error) {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "endpoint", "is %q; expected http(s)://HOST[:PORT]", c.Endpoint)
	}
	body := []byte(nil)
	if params != nil {
		if body, err = json.Marshal(params); err != nil {
			return nil, fmt.Errorf("write the parameters: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, endpoint.Scheme+"://"+endpoint.Host+ledger.Path+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if params != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.SetBasicAuth(c.SecretID, c.SecretKey.Reveal())
	return req, nil
}

func (c *Client) refusal(answer *http.Response, body []byte) error {
	var refusal ledger.Refusal
	if err := json.Unmarshal(body, &refusal); err != nil || refusal.Error.Message == "" {
		return c.strange(answer)
	}
	return &Error{Status: answer.StatusCode, RefusalError: refusal.Error, RequestID: answer.Header.Get(ledger.RequestID)}
}

func (c *Client) strange(answer *http.Response) error {
	return fmt.Errorf("%s answered %s, but not as a Stillcast server does; is this the address of its listen.http?", c.Endpoint, answer.Status)
}
