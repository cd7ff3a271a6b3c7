module github.com/stillcast/stillcast/internal/bench/peers

go 1.26.0

require (
	github.com/bluenviron/gortmplib v1.0.0
	github.com/q191201771/lal v0.37.4
	github.com/q191201771/naza v0.30.48
)

require (
	github.com/abema/go-mp4 v1.7.1 // indirect
	github.com/bluenviron/mediacommon/v2 v2.9.2 // indirect
	github.com/google/uuid v1.6.0 // indirect
)
