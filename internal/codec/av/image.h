#ifndef STILLCAST_IMAGE_H
#define STILLCAST_IMAGE_H

#include <libavutil/frame.h>

#include "fault.h"

// Planes of samples: luma, Cb and Cr, or green, blue and red, or luma alone. Samples of up to 8 bits are bytes, those of
// more are 16-bit words of the machine's own order.
typedef struct sc_image {
    AVFrame *owner; // of the memory, which several images may share
    uint8_t *data[3];
    int stride[3]; // in bytes; negative where rows stand bottom up
    int planes;    // 3, or 1 for grey
    int width, height;
    int shift_x, shift_y; // log2 of how much smaller the second and third plane are
    int depth;            // bits of a sample
} sc_image;

// sc_image_view makes an image that shares a frame's memory, of a frame's planes without alpha. An interlaced frame is
// seen as its upper field alone. *rgb tells whether the planes are green, blue and red. SC_UNSUPPORTED stands for
// pixel formats that are not planar.
int sc_image_view(sc_image *image, const AVFrame *frame, int *rgb);

// sc_image_share makes an image that shares another's memory.
int sc_image_share(sc_image *image, const sc_image *other);

// sc_image_allocate gives memory to an image whose other fields but data and stride are set.
int sc_image_allocate(sc_image *image);

// sc_image_release gives memory up. Images that were never made must be zero.
void sc_image_release(sc_image *image);

// sc_image_width and sc_image_height are the size of one plane.
int sc_image_width(const sc_image *image, int plane);
int sc_image_height(const sc_image *image, int plane);

#endif
