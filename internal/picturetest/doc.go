// Package picturetest pushes every kind of stream to a real server and compares
// the pictures with what was in front of the encoder. It has tests only;
// docs/pictures.md is what they found:
//
//	go test ./internal/picturetest -update
package picturetest
