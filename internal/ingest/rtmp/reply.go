package rtmp

import (
	"encoding/binary"
	"fmt"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// What publishers are told (RTMP specification sections 7.2.1.1 and 7.2.2.6,
// and the codes of Flash Media Server that publishers know).
const (
	statusConnected     = "NetConnection.Connect.Success"
	statusRejected      = "NetConnection.Connect.Rejected"
	statusPublishStart  = "NetStream.Publish.Start"
	statusDenied        = "NetStream.Publish.Denied"
	statusBadName       = "NetStream.Publish.BadName"
	statusPublishFailed = "NetStream.Publish.Failed"
	statusUnpublish     = "NetStream.Unpublish.Success"
	statusPlayFailed    = "NetStream.Play.Failed"
)

const (
	windowSize = 2_500_000 // bytes, of WindowAckSize and SetPeerBandwidth, as every server says
	// chunkSize is what we announce. FFmpeg takes it over for what it sends,
	// where fewer chunks cost less.
	chunkSize = 65536

	createdStream = 1 // id of the one message stream of a connection

	controlChunkStream = 2
	commandChunkStream = 3

	bandwidthDynamic = 2 // limit type of SetPeerBandwidth (section 5.4.5)
	pingRequest      = 6 // user control events (section 7.1.7)
	pingResponse     = 7
)

// welcome answers a connect command.
func (s *session) welcome(transaction float64) error {
	window := binary.BigEndian.AppendUint32(nil, windowSize)
	controls := []struct {
		kind    uint8
		payload []byte
	}{
		{chunk.TypeWindowAckSize, window},
		{chunk.TypeSetPeerBandwidth, append(window[:4:4], bandwidthDynamic)},
		{chunk.TypeSetChunkSize, binary.BigEndian.AppendUint32(nil, chunkSize)},
	}
	for _, c := range controls {
		if err := s.sendControl(c.kind, c.payload); err != nil {
			return err
		}
	}
	s.writer.SetChunkSize(chunkSize)
	return s.send(0, "_result", transaction, s.properties(),
		amf0.Object{
			{Name: "level", Value: "status"},
			{Name: "code", Value: statusConnected},
			{Name: "description", Value: "connected to Stillcast"},
			{Name: "objectEncoding", Value: 0.0},
		})
}

// reject answers a connect command with why.
func (s *session) reject(transaction float64, why *closing) error {
	err := s.send(0, "_error", transaction, nil, amf0.Object{
		{Name: "level", Value: "error"},
		{Name: "code", Value: statusRejected},
		{Name: "description", Value: why.end.Message},
	})
	if err != nil {
		return err
	}
	told := *why
	told.told = true
	return &told
}

// Capabilities in Enhanced RTMP v2, "Enhancing NetConnection connect Command".
const (
	canDecode = 1 // FourCcInfoMask

	capsMultitrack = 0x02 // CapsExMask; one of the tracks is captured
	capsModEx      = 0x04
	capsNanoOffset = 0x08

	anyCodec = "*" // FourCC of what is said of all codecs
)

// properties describes this server in the answer to connect.
func (s *session) properties() amf0.Object {
	var list []any
	var infos amf0.Object
	for _, c := range s.gate.Codecs() {
		list = append(list, c.FourCC())
		infos = append(infos, amf0.Property{Name: c.FourCC(), Value: canDecode})
	}
	return amf0.Object{
		{Name: "fmsVer", Value: "FMS/3,0,1,123"},
		{Name: "capabilities", Value: 31.0},
		{Name: "fourCcList", Value: list},
		{Name: "videoFourCcInfoMap", Value: infos},
		// Sound of any kind is taken, and left aside.
		{Name: "audioFourCcInfoMap", Value: amf0.Object{{Name: anyCodec, Value: canDecode}}},
		{Name: "capsEx", Value: capsMultitrack | capsModEx | capsNanoOffset},
	}
}

// sendStatus tells the publisher what became of its stream.
func (s *session) sendStatus(stream uint32, code, description string) error {
	level := "error"
	if code == statusPublishStart || code == statusUnpublish {
		level = "status"
	}
	return s.send(stream, "onStatus", 0.0, nil, amf0.Object{
		{Name: "level", Value: level},
		{Name: "code", Value: code},
		{Name: "description", Value: description},
	})
}

func (s *session) send(stream uint32, values ...any) error {
	payload, err := amf0.Append(nil, values...)
	if err != nil {
		return fmt.Errorf("encode RTMP command: %w", err)
	}
	return s.writer.Write(chunk.Message{
		ChunkStream: commandChunkStream, Type: chunk.TypeCommandAMF0, StreamID: stream, Payload: payload,
	})
}

func (s *session) sendControl(kind uint8, payload []byte) error {
	return s.writer.Write(chunk.Message{ChunkStream: controlChunkStream, Type: kind, Payload: payload})
}

// pong answers a ping; other user control events ask for nothing.
func (s *session) pong(event []byte) error {
	if len(event) < 6 || binary.BigEndian.Uint16(event) != pingRequest {
		return nil
	}
	return s.sendControl(chunk.TypeUserControl, append([]byte{0, pingResponse}, event[2:6]...))
}

// acknowledge tells how many bytes came in, each time that the window which the
// publisher asked for is full (section 5.4.3).
func (s *session) acknowledge() error {
	if s.window == 0 || s.received-s.acknowledged < uint64(s.window) {
		return nil
	}
	s.acknowledged = s.received
	total := uint32(s.received) //nolint:gosec // it wraps, as specified
	return s.sendControl(chunk.TypeAck, binary.BigEndian.AppendUint32(nil, total))
}
