package publish

import (
	"encoding/binary"
	"fmt"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media/flv"
)

// Chunk streams, as FFmpeg uses them: 2 is the protocol's own, the rest is
// free (RTMP specification section 5.3.1.1).
const (
	controlStream = 2
	commandStream = 3
	audioStream   = 4
	dataStream    = 5
	videoStream   = 6
)

// Commands of RTMP (specification section 7.2); releaseStream, FCPublish and
// FCUnpublish are not in it but sent by every publisher since Flash Media Live
// Encoder.
const (
	commandConnect      = "connect"
	commandCreateStream = "createStream"
	commandPublish      = "publish"
	commandRelease      = "releaseStream"
	commandFCPublish    = "FCPublish"
	commandFCUnpublish  = "FCUnpublish"
	commandDeleteStream = "deleteStream"
	commandClose        = "close"
	replyResult         = "_result"
	replyError          = "_error"
	replyStatus         = "onStatus"
)

// Transaction ids of the commands that are answered. The others go with 0 or
// with a number whose answer is not waited for.
const (
	transactionConnect = 1 + iota
	transactionRelease
	transactionFCPublish
	transactionCreate
	transactionPublish
	transactionFCUnpublish
	transactionDelete
)

// metadataName is how the data of an onMetaData tag begins: an AMF0 string.
const metadataName = "\x02\x00\x0aonMetaData"

// setDataFrame goes before metadata, so that the server keeps it for those
// who come later (Adobe Media Server, "Add metadata to a live stream").
const setDataFrame = "\x02\x00\x0d@setDataFrame"

// open connects to the app and starts publishing.
func (c *Client) open(opts Options) error {
	// Told before the first command, so that no server meets a size it does not know.
	size := binary.BigEndian.AppendUint32(nil, uint32(opts.ChunkSize)) //nolint:gosec // at most MaxChunkSize
	if err := c.send(chunk.Message{ChunkStream: controlStream, Type: chunk.TypeSetChunkSize, Payload: size}); err != nil {
		return err
	}
	c.writer.SetChunkSize(opts.ChunkSize)

	err := c.command(0, commandConnect, transactionConnect, amf0.Object{
		{Name: "app", Value: c.target.app},
		{Name: "type", Value: "nonprivate"},
		{Name: "flashVer", Value: opts.FlashVer},
		{Name: "tcUrl", Value: c.target.tcURL},
	})
	if err != nil {
		return err
	}
	if _, err = c.result(commandConnect, transactionConnect); err != nil {
		return err
	}
	if c.stream, err = c.create(); err != nil {
		return err
	}
	err = c.command(c.stream, commandPublish, transactionPublish, nil, c.target.name, "live")
	if err != nil {
		return err
	}
	return c.published()
}

// create makes the message stream of the push.
func (c *Client) create() (uint32, error) {
	for _, before := range []struct {
		name        string
		transaction int
	}{{commandRelease, transactionRelease}, {commandFCPublish, transactionFCPublish}} {
		// Servers that do not know these answer with an error that means nothing.
		if err := c.command(0, before.name, before.transaction, nil, c.target.name); err != nil {
			return 0, err
		}
	}
	if err := c.command(0, commandCreateStream, transactionCreate, nil); err != nil {
		return 0, err
	}
	created, err := c.result(commandCreateStream, transactionCreate)
	if err != nil {
		return 0, err
	}
	if len(created.args) > 1 {
		if id, ok := created.args[1].(float64); ok && id >= 0 && id <= 0xFFFFFFFF {
			return uint32(id), nil
		}
	}
	return 0, fmt.Errorf("%w: its answer to createStream holds no stream id", errNotRTMP)
}

// result waits for the answer to a command.
func (c *Client) result(command string, transaction int) (reply, error) {
	for {
		r, err := c.reply()
		if err != nil {
			return reply{}, fmt.Errorf("wait for the answer to %s: %w", command, err)
		}
		switch {
		case r.name == replyResult && r.transaction == float64(transaction):
			return r, nil
		case r.name == replyError && r.transaction == float64(transaction):
			return reply{}, statusOf(r.args).asError(command)
		case r.name == replyStatus && statusOf(r.args).level == levelError:
			return reply{}, statusOf(r.args).asError(command)
		case r.name == commandClose:
			return reply{}, statusOf(r.args).asError(command)
		}
	}
}

// published waits for the answer to publish.
func (c *Client) published() error {
	for {
		r, err := c.reply()
		if err != nil {
			return fmt.Errorf("wait for the answer to %s: %w", commandPublish, err)
		}
		s := statusOf(r.args)
		switch {
		case r.name == replyStatus && s.level == levelError,
			r.name == replyError && r.transaction == transactionPublish,
			r.name == commandClose:
			return s.asError(commandPublish)
		case r.name == replyStatus && s.code == codePublishStart:
			return nil
		}
	}
}

// receive reads what the server sends during the push, until it fails.
func (c *Client) receive() {
	defer close(c.received)
	c.reason = c.watch()
	c.fail(c.reason) //nolint:errcheck // the first reason stands
}

// watch returns the first error.
func (c *Client) watch() error {
	for {
		r, err := c.reply()
		if err != nil {
			return err
		}
		s := statusOf(r.args)
		switch {
		case (r.name == replyStatus || r.name == replyError) && s.level == levelError, r.name == commandClose:
			return s.asError("")
		case r.name == replyStatus && s.code == codeUnpublish && c.Err() == nil:
			// It answers the end that a publisher sends. Without one, the server ends the push.
			return s.asError("")
		}
	}
}

// sendEnd tells the server that the push is over.
func (c *Client) sendEnd() error {
	err := c.command(0, commandFCUnpublish, transactionFCUnpublish, nil, c.target.name)
	if err != nil {
		return err
	}
	return c.command(0, commandDeleteStream, transactionDelete, nil, float64(c.stream))
}

// command sends a command on a message stream.
func (c *Client) command(stream uint32, name string, transaction int, args ...any) error {
	payload, err := amf0.Append(nil, append([]any{name, transaction}, args...)...)
	if err != nil {
		return fmt.Errorf("send %s: %w", name, err)
	}
	return c.send(chunk.Message{
		ChunkStream: commandStream, Type: chunk.TypeCommandAMF0, StreamID: stream, Payload: payload,
	})
}

// message makes the message of a tag. Its payload stays valid until the next
// call.
func (c *Client) message(tag flv.Tag) (chunk.Message, error) {
	m := chunk.Message{Type: uint8(tag.Type), StreamID: c.stream, Timestamp: tag.Timestamp, Payload: tag.Data}
	switch tag.Type {
	case flv.Audio:
		m.ChunkStream = audioStream
	case flv.Video:
		m.ChunkStream = videoStream
	case flv.Script:
		m.ChunkStream = dataStream
		if len(tag.Data) >= len(metadataName) && string(tag.Data[:len(metadataName)]) == metadataName {
			c.metadata = append(append(c.metadata[:0], setDataFrame...), tag.Data...)
			m.Payload = c.metadata
		}
	default:
		return chunk.Message{}, fmt.Errorf("send tag: type %d is none of audio, video and script", tag.Type)
	}
	return m, nil
}
