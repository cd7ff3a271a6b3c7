package stillcast_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
)

func ExamplePushParam() {
	key := stillcast.Secret("e12c46f2612d5106e2034781ab261ca3")
	expiry := time.Date(2018, time.December, 29, 14, 13, 45, 0, time.FixedZone("", 8*60*60))
	fmt.Println("rtmp://push.example.com/live/test?" + stillcast.PushParam(key, "test", expiry))
	// Output: rtmp://push.example.com/live/test?txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5C271099
}

func ExamplePushAuth_Check() {
	auth := stillcast.PushAuth{Key: "e12c46f2612d5106e2034781ab261ca3", Delta: time.Minute}
	param := "txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5C271099"
	expiry := time.Unix(0x5C271099, 0)
	fmt.Println(auth.Check("test", param, expiry.Add(59*time.Second)))
	fmt.Println(auth.Check("test", param, expiry.Add(60*time.Second)))
	fmt.Println(auth.Check("other", param, expiry))
	// Output:
	// <nil>
	// txTime: expired at 2018-12-29T06:14:45Z
	// txSecret: is wrong for this stream; it must be md5hex(key + stream + txTime)
}

func ExamplePictureName_ObjectKey() {
	name := stillcast.PictureName{
		Stream: stillcast.Stream{Domain: "push.example.com", App: "live", Name: "../cam 1"},
		At:     time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC),
		Width:  640, Height: 360, Ext: ".jpg",
	}
	fmt.Println(name.ObjectKey(stillcast.DefaultPrefix, stillcast.DefaultFileName))
	// Output: 2026-03-04/!2E.!2Fcam!201-screenshot-05-06-07-640x360.jpg
}

func ExampleWithin() {
	err := stillcast.Within("domains[0]", stillcast.Domain{Name: "push.example.com"}.Validate())
	fmt.Println(err)
	if e, ok := errors.AsType[*stillcast.Error](err); ok {
		fmt.Println(e.Code, e.Field)
	}
	// Output:
	// domains[0].auth.key: is empty; give a key, or set auth.enabled: false to let anybody push
	// invalid domains[0].auth.key
}
