"""RTMO-S on COCO, joints hidden in the whole images, in both stages."""

_base_ = 'mmpose::body_2d_keypoint/rtmo/coco/rtmo-s_8xb32-600e_coco-640x640.py'
custom_imports = dict(imports=['mmpose_occlusion'])

# right after LoadImage, where the boxes are those of the annotations
hide = dict(type='KeypointOcclusion', fill='object', size='20%', prob=0.5)
stage1 = [_base_.train_pipeline_stage1[0], hide]
stage1 += _base_.train_pipeline_stage1[1:]
stage2 = [_base_.train_pipeline_stage2[0], hide]
stage2 += _base_.train_pipeline_stage2[1:]
train_dataloader = dict(dataset=dict(pipeline=stage1))
custom_hooks = _base_.custom_hooks
custom_hooks[0].new_train_pipeline = stage2
