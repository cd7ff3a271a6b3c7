// Package client calls the control API.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api/tcsign"
)

const (
	version = "2018-08-01"
	service = "live"
	// maxReply is more than the largest list takes: 100 domains, 50 templates of each kind and their rules.
	maxReply = 64 << 20
)

// Client calls the API of one server. It is safe for concurrent use.
type Client struct {
	Endpoint  string // http://HOST:PORT
	SecretID  string
	SecretKey stillcast.Secret
	HTTP      *http.Client // nil: http.DefaultClient
}

// Error is the answer of an API to a call that it refused.
type Error struct {
	Code      string
	Message   string
	RequestID string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Call calls an action with params, anything that JSON can say, and reads what is
// answered into reply, which may be nil. A refusal is an [*Error].
func (c *Client) Call(ctx context.Context, action string, params, reply any) error {
	answer, err := c.call(ctx, action, params)
	if err != nil {
		return fmt.Errorf("call %s of %s: %w", action, c.Endpoint, err)
	}
	var outer struct {
		Response json.RawMessage
	}
	var refusal struct {
		Error     *Error
		RequestID string `json:"RequestId"`
	}
	if err := json.Unmarshal(answer, &outer); err != nil {
		return fmt.Errorf("call %s of %s: the answer is none of a control API: %w", action, c.Endpoint, err)
	}
	if err := json.Unmarshal(outer.Response, &refusal); err != nil {
		return fmt.Errorf("call %s of %s: the answer is none of a control API: %w", action, c.Endpoint, err)
	}
	if refusal.Error != nil {
		refusal.Error.RequestID = refusal.RequestID
		return fmt.Errorf("%s: %w", action, refusal.Error)
	}
	if reply == nil {
		return nil
	}
	if err := json.Unmarshal(outer.Response, reply); err != nil {
		return fmt.Errorf("call %s of %s: read the answer: %w", action, c.Endpoint, err)
	}
	return nil
}

func (c *Client) call(ctx context.Context, action string, params any) ([]byte, error) {
	body, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("write the parameters: %w", err)
	}
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "endpoint", "is %q; expected http(s)://HOST[:PORT]", c.Endpoint)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.Scheme+"://"+endpoint.Host+"/", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Version", version)
	signed := &tcsign.Request{Method: req.Method, Path: "/", Host: req.Host, Header: req.Header, Body: body}
	tcsign.Sign(signed, service, c.SecretID, c.SecretKey.Reveal(), time.Now())
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s; is %s the address of listen.http?", answer.Status, c.Endpoint)
	}
	return io.ReadAll(io.LimitReader(answer.Body, maxReply))
}
