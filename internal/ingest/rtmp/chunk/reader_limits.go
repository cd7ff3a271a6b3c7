package chunk

import (
	"errors"

	"github.com/stillcast/stillcast"
)

// Limits bounds what a [Reader] accepts from one connection.
type Limits struct {
	// CommandBytes is the longest command that is read.
	CommandBytes int `yaml:"command_bytes"`
	// VideoBytes is the longest picture that is kept.
	VideoBytes int `yaml:"video_bytes"`
	// AudioBytes is the longest audio message, which is skipped.
	AudioBytes int `yaml:"audio_bytes"`
	// DataBytes is the longest metadata message, which is skipped.
	DataBytes int `yaml:"data_bytes"`
	// MessageBytes is the longest message of any other type, also skipped.
	MessageBytes int `yaml:"message_bytes"`
	// ChunkBytes is the largest chunk size that a publisher may announce.
	ChunkBytes int `yaml:"chunk_bytes"`
	// ChunkStreams is how many chunk streams a connection may use.
	ChunkStreams int `yaml:"chunk_streams"`
	// OpenMessages is how many messages of a connection may be half received at
	// a time, each on its own chunk stream.
	OpenMessages int `yaml:"open_messages"`
}

// DefaultLimits returns limits that every known publisher keeps by far.
func DefaultLimits() Limits {
	return Limits{
		CommandBytes: 64 << 10,
		VideoBytes:   8 << 20,
		AudioBytes:   1 << 20,
		DataBytes:    1 << 20,
		MessageBytes: MaxPayload,
		ChunkBytes:   16 << 20,
		ChunkStreams: 64,
		OpenMessages: 16,
	}
}

// Validate reports the first limit that is not allowed.
func (l Limits) Validate() error {
	bounds := []struct {
		field            string
		value, low, high int
	}{
		{"command_bytes", l.CommandBytes, 4 << 10, 1 << 20},
		{"video_bytes", l.VideoBytes, 64 << 10, MaxPayload},
		{"audio_bytes", l.AudioBytes, 4 << 10, MaxPayload},
		{"data_bytes", l.DataBytes, 4 << 10, MaxPayload},
		{"message_bytes", l.MessageBytes, 64 << 10, MaxPayload},
		{"chunk_bytes", l.ChunkBytes, 64 << 10, 16 << 20},
		{"chunk_streams", l.ChunkStreams, 4, 1024},
		{"open_messages", l.OpenMessages, 2, 1024},
	}
	for _, b := range bounds {
		if b.value < b.low || b.value > b.high {
			return stillcast.Errorf(stillcast.CodeInvalid, b.field, "is %d; allowed are %d to %d", b.value, b.low, b.high)
		}
	}
	return nil
}

// length returns the longest message of a type, and the error for a longer one.
// Commands and pictures are bounded when they are kept.
func (l Limits) length(kind uint8) (int, error) {
	switch kind {
	case TypeAudio:
		return min(l.AudioBytes, l.MessageBytes), ErrAudioBytes
	case TypeDataAMF0, TypeDataAMF3:
		return min(l.DataBytes, l.MessageBytes), ErrDataBytes
	}
	return l.MessageBytes, ErrMessageBytes
}

// What a [Reader] refuses. Its errors wrap one of these with the figures.
var (
	// ErrNoHeader says that a chunk leaves out a header that was never sent.
	ErrNoHeader = errors.New("chunk refers to a header that was never sent")
	// ErrControl says that a protocol control message is malformed.
	ErrControl = errors.New("malformed protocol control message")
	// ErrChunkSize says that the announced chunk size is 0 or above the limit.
	ErrChunkSize = errors.New("chunk size is not allowed")
	// ErrChunkStreams says that there are too many chunk streams.
	ErrChunkStreams = errors.New("too many chunk streams")
	// ErrOpenMessages says that too many messages are half received.
	ErrOpenMessages = errors.New("too many messages in flight")
	// ErrMessageBytes says that a message is longer than any may be.
	ErrMessageBytes = errors.New("message is too long")
	// ErrCommandBytes says that a command is too long.
	ErrCommandBytes = errors.New("command message is too long")
	// ErrVideoBytes says that a picture is too large.
	ErrVideoBytes = errors.New("video message is too long")
	// ErrAudioBytes says that an audio message is too long.
	ErrAudioBytes = errors.New("audio message is too long")
	// ErrDataBytes says that metadata is too long.
	ErrDataBytes = errors.New("data message is too long")
	// ErrBudget says that the memory for messages in flight is spent.
	ErrBudget = errors.New("memory for messages in flight is spent")
)
