// Package chunk is the chunk stream of RTMP: how messages are cut into chunks
// and put together again (Adobe RTMP specification 1.0, section 5.3).
package chunk

// Message is one RTMP message (specification section 6.1).
type Message struct {
	ChunkStream uint32 // chunk stream id, 2 to 65599; 2 is for protocol control
	Type        uint8  // one of the Type constants, or what the peer sent
	StreamID    uint32 // message stream id; 0 is the connection itself
	Timestamp   uint32 // in milliseconds, absolute; it wraps at 2^32
	Payload     []byte
}

// Message types. The sections are those of the RTMP specification 1.0.
const (
	// TypeSetChunkSize announces the largest chunk the sender will use: 4
	// bytes, the first bit 0 (section 5.4.1).
	TypeSetChunkSize uint8 = 1
	// TypeAbort drops the message that is half sent on a chunk stream: 4 bytes
	// of chunk stream id (section 5.4.2).
	TypeAbort uint8 = 2
	// TypeAck says how many bytes were received so far: 4 bytes that wrap
	// (section 5.4.3).
	TypeAck uint8 = 3
	// TypeUserControl is an event: 2 bytes of event type, then its data
	// (section 6.2, events in section 7.1.7).
	TypeUserControl uint8 = 4
	// TypeWindowAckSize asks the peer for an acknowledgement each time it has
	// received so many bytes: 4 bytes (section 5.4.4).
	TypeWindowAckSize uint8 = 5
	// TypeSetPeerBandwidth limits the peer's bytes in flight: 4 bytes of window
	// size and 1 of limit type (section 5.4.5).
	TypeSetPeerBandwidth uint8 = 6
	// TypeAudio is an FLV audio tag's data (section 7.1.4).
	TypeAudio uint8 = 8
	// TypeVideo is an FLV video tag's data (section 7.1.5).
	TypeVideo uint8 = 9
	// TypeDataAMF3 is metadata in AMF3 (section 7.1.2).
	TypeDataAMF3 uint8 = 15
	// TypeCommandAMF3 is a command in AMF3 (section 7.1.1).
	TypeCommandAMF3 uint8 = 17
	// TypeDataAMF0 is metadata in AMF0 (section 7.1.2).
	TypeDataAMF0 uint8 = 18
	// TypeCommandAMF0 is a command in AMF0 (section 7.1.1).
	TypeCommandAMF0 uint8 = 20
	// TypeAggregate is several messages in one (section 7.1.6).
	TypeAggregate uint8 = 22
)

// DefaultSize is the chunk size in bytes of both directions until a
// [TypeSetChunkSize] message changes it (specification section 5.4.1).
const DefaultSize = 128

// Limits of the format (specification section 5.3.1).
const (
	// MinStream and MaxStream bound the chunk stream ids.
	MinStream = 2
	MaxStream = 65599
	// MaxPayload is the longest message in bytes: its length has 24 bits.
	MaxPayload = 0xFFFFFF
	// ExtendedTimestamp is the value of a 24-bit timestamp field that says the
	// real one follows in 32 bits.
	ExtendedTimestamp = 0xFFFFFF
)
