/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_SEND_H
#define ALOFT_SERVER_SEND_H

#include "api/request.h"

/** Hand the request's answer to the library. A file that was not kept is gone before. */
enum MHD_Result send_answer(struct request *request);

#endif
