/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_VET_H
#define ALOFT_SERVER_VET_H

#include "api/request.h"
#include "store/uploads.h"

/* What uploads have in common, however they come: they are vetted against the product, and what
 * the analyser says is answered and kept row by row. */

/** Is `name` a file's name and `version` a version? False = no, and that is the answer. */
bool vet_names(struct request *request, const char *name, const char *version);

/** May the product have one more upload that is no ROM's yet? False = 409, answered. */
bool vet_has_room(struct request *request);

/** The query parameter `cut`: `app`, or it is not there. False = answered. */
bool vet_read_cut(struct request *request, bool *ret_is_cut);

/** Would any file of this name be refused? Then that is the answer (false). */
bool vet_file_name(struct request *request, const char *name, const char *version);

/** Begin to vet a file of the request's product. NULL = answered. */
struct analysis *vet_begin(struct request *request, const char *name, const char *version);

/** What the analyser said, row by row; the caller's, NULL when memory is out. */
json_t *vet_findings(const struct analysis_report *report);

/** How much `cut` would keep of a factory image; JSON's null for other files. */
json_t *vet_app_bytes(const struct analysis_report *report);

/** 422 with the first refusal's code and sentence and all findings. */
void vet_answer_refusal(struct request *request, const char *name,
                        const struct analysis_report *report);

/**
 * The whole file is there. Judge it, cut the app out if that is wished for and possible, and keep
 * it as an upload. The answer is given: 201, 422, or what failed.
 *
 * @param source  What to keep: its id, product, version and file name; the rest is filled in.
 * @param fd      The file's bytes, by offset; NULL writer: they are copied from here.
 * @param partial_id  The partial upload that ends with it; NULL = none.
 * @return True = it is an upload now.
 */
bool vet_keep(struct request *request, struct upload *u, int fd, bool is_cut,
              const char *partial_id);

/** Feed a part of a file to request->analysis and, to keep it, to request->writer; both are begun
 * anew for it. False = answered. */
bool vet_copy(struct request *request, const struct upload *u, int fd, uint64_t off,
              uint64_t n_bytes);

/** The upload as it is answered. `findings` is taken over. */
json_t *vet_upload_to_json(const struct upload *u, json_t *findings);

#endif
